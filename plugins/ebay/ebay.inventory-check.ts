import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type ChannelClock,
  type InquiryAnswer,
  IsIn,
  IsString,
  Matches,
  MinLength,
  type PublishedUnits,
  type WebhookRequest,
} from 'onhand/channel-api';

/** Given to eBay in the support ticket that asks for the check, with the address; chosen by you. */
export class InventoryCheckOptions {
  /** The user name that eBay sends, or the id with which it fetches a token. */
  @IsString()
  @Matches(/^[\x21-\x39\x3b-\x7e]{1,100}$/, { message: 'must be 1 to 100 printable characters without ":"' })
  clientId!: string;

  @IsString()
  @MinLength(16, { message: 'must have 16 characters or more' })
  clientSecret!: string;

  /** Of `lastUpdated`: eBay's page says "UTC epoch timestamp" and no unit. */
  @IsIn(['seconds', 'milliseconds'])
  epochUnit: 'seconds' | 'milliseconds' = 'seconds';
}

const TOKEN_SECONDS = 3_600;
/** A checkout holds a few items; more in one question is no checkout's. */
const MOST_ITEMS = 100;
const FROM_A_PLACE = ['PICKUP_IN_STORE', 'SHIP_TO_STORE'];

interface Asked {
  location: string | undefined;
  sku: string;
  fulfillmentType: string;
  requestedQuantity: number;
}

/**
 * eBay's Real-time Inventory Check: at the checkout eBay asks whether there is enough, and wants an answer within
 * 500 ms (developer.ebay.com/api-docs/sell/static/inventory/realtime-inventory-check.html). Documented are the
 * question for one item and its answer; several items come as a list and are answered as one, in their order,
 * each with its SKU and location, which is by arrangement with eBay, as are the credentials: they are taken as user
 * name and password, and by OAuth's client-credentials grant at `/stock-inquiry/token`.
 */
export class InventoryCheck {
  constructor(
    private readonly options: InventoryCheckOptions,
    private readonly clock: Pick<ChannelClock, 'now'>,
  ) {}

  answer(request: WebhookRequest, unitsOf: PublishedUnits): InquiryAnswer {
    const [path] = request.path.split('?');
    if (path === '/stock-inquiry/token') return this.token(request);
    if (!this.isKnown(request.headers.authorization))
      return json(401, { error: 'unauthorized' }, { 'www-authenticate': 'Basic realm="onhand", Bearer' });
    const body = bodyOf(request);
    const items = (Array.isArray(body) ? body : [body]).map(askedIn);
    if (items.length === 0 || items.length > MOST_ITEMS || items.includes(undefined))
      return json(400, { error: 'each item needs SKU, and requestedQuantity as a whole number from 1' });
    const answers = (items as Asked[]).map((item) => this.answerTo(item, unitsOf));
    if (!Array.isArray(body)) return json(200, answers[0]!);
    return json(
      200,
      (items as Asked[]).map(({ sku, location }, index) => ({
        ...(location !== undefined && { locationID: location }),
        SKU: sku,
        ...answers[index],
      })),
    );
  }

  /** Picked up, an item comes from that one place; sent, from wherever it is. What is not known is not there. */
  private answerTo({ sku, location, fulfillmentType, requestedQuantity }: Asked, unitsOf: PublishedUnits) {
    const place = FROM_A_PLACE.includes(fulfillmentType) ? (location ?? '') : undefined;
    const totalAvailableQuantity = unitsOf(sku, place) ?? 0;
    const nowMs = this.clock.now().getTime();
    return {
      isAvailable: totalAvailableQuantity >= requestedQuantity,
      lastUpdated: this.options.epochUnit === 'seconds' ? Math.floor(nowMs / 1000) : nowMs,
      totalAvailableQuantity,
    };
  }

  /** RFC 6749, 4.4. A token says when it ends and proves that it was made here; none is stored. */
  private token({ headers, body }: WebhookRequest): InquiryAnswer {
    const form = new URLSearchParams(body.toString('utf8'));
    const pair = `${form.get('client_id') ?? ''}:${form.get('client_secret') ?? ''}`;
    if (!this.isOurs(headers.authorization ?? basicOf(pair)))
      return json(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="onhand"' });
    if (form.get('grant_type') !== 'client_credentials')
      return json(400, { error: 'unsupported_grant_type' });
    const endsAt = Math.floor(this.clock.now().getTime() / 1000) + TOKEN_SECONDS;
    const token = `${endsAt}.${this.sealOf(String(endsAt))}`;
    return json(200, { access_token: token, token_type: 'Bearer', expires_in: TOKEN_SECONDS });
  }

  private isKnown(authorization = ''): boolean {
    const [, token] = /^Bearer (\S{1,200})$/i.exec(authorization) ?? [];
    if (token === undefined) return this.isOurs(authorization);
    const [endsAt = '', seal = ''] = token.split('.');
    return isSame(seal, this.sealOf(endsAt)) && Number(endsAt) * 1000 > this.clock.now().getTime();
  }

  private isOurs(authorization: string): boolean {
    const { clientId, clientSecret } = this.options;
    return isSame(authorization, basicOf(`${clientId}:${clientSecret}`));
  }

  private sealOf(endsAt: string): string {
    return createHmac('sha256', this.options.clientSecret)
      .update(`inquiry until ${endsAt}`)
      .digest('base64url');
  }
}

/** eBay's page calls the location `merchantLocationKey` in its list of fields and `locationID` in its sample. */
function askedIn(item: unknown): Asked | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { SKU, requestedQuantity, fulfillmentType, locationID, merchantLocationKey } = item as Record<
    string,
    unknown
  >;
  if (typeof SKU !== 'string' || SKU === '' || SKU.length > 200) return undefined;
  if (
    typeof requestedQuantity !== 'number' ||
    !Number.isSafeInteger(requestedQuantity) ||
    requestedQuantity < 1
  )
    return undefined;
  const location = [locationID, merchantLocationKey].find((each) => typeof each === 'string') as
    string | undefined;
  return { sku: SKU, location, fulfillmentType: String(fulfillmentType), requestedQuantity };
}

/** Undefined where it is not JSON: no item is understood then. */
function bodyOf({ body }: WebhookRequest): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function json(status: number, body: object, headers?: Record<string, string>): InquiryAnswer {
  return { status, contentType: 'application/json', body: JSON.stringify(body), ...(headers && { headers }) };
}

function basicOf(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** Takes as long wherever they differ. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
