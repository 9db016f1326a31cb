import '@shopify/shopify-api/adapters/node';
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api';
import {
  type ChannelDocument,
  type ChannelLogger,
  parseJsonLossless,
  UntranslatableError,
  type WebhookRequest,
  type WebhookVerdict,
} from 'onhand/channel-api';
import type { Catalogue } from './shopify.catalogue';
import type { Echoes } from './shopify.echoes';
import { plainId, shortId } from './shopify.ids';
import type { ShopifyOptions } from './shopify.options';
import { asPayload, hasReturns, orderOfPayload, stateOfPayload } from './shopify.order-payload';
import { documentOf, instant } from './shopify.translate';

/** Topics that carry an order whole. */
const ORDER_TOPICS = [
  'orders/create',
  'orders/updated',
  'orders/cancelled',
  'orders/fulfilled',
  'orders/partially_fulfilled',
];
/** Topics that say which order changed, and not how it stands. */
const CHANGE_TOPICS = /^(orders\/edited|refunds\/create|returns\/[a-z_]+)$/;

/** Every topic that is subscribed to, as the API names it. */
export const TOPICS = [
  'ORDERS_CREATE',
  'ORDERS_UPDATED',
  'ORDERS_EDITED',
  'ORDERS_CANCELLED',
  'ORDERS_FULFILLED',
  'ORDERS_PARTIALLY_FULFILLED',
  'REFUNDS_CREATE',
  'INVENTORY_LEVELS_UPDATE',
  'APP_UNINSTALLED',
] as const;

/** These need the scope read_returns. */
export const RETURN_TOPICS = [
  'RETURNS_REQUEST',
  'RETURNS_APPROVE',
  'RETURNS_DECLINE',
  'RETURNS_CANCEL',
  'RETURNS_CLOSE',
  'RETURNS_REOPEN',
  'RETURNS_UPDATE',
  'RETURNS_PROCESS',
] as const;

type Validate = (request: WebhookRequest) => Promise<boolean>;

/**
 * Accepts what was signed with one of the app's secrets, over the bytes as they arrived, and is this shop's: an
 * app has one secret for all shops that installed it. Never throws.
 * @see https://shopify.dev/docs/apps/build/webhooks/verify-deliveries
 */
export class WebhookVerifier {
  private readonly validators: Validate[];

  constructor(private readonly options: Pick<ShopifyOptions, 'shop' | 'webhookSecrets'>) {
    this.validators = options.webhookSecrets.map((secret) => validatorWith(secret, options.shop));
  }

  async verify(request: WebhookRequest): Promise<WebhookVerdict> {
    // All of them always, so that the time taken does not tell which secret is in use.
    const matches = await Promise.all(this.validators.map((validate) => validate(request)));
    if (!matches.includes(true))
      return refused(
        'the webhook is not signed with a secret of options.webhookSecrets, or lacks a header of Shopify',
      );
    const shop = request.headers['x-shopify-shop-domain'] ?? '';
    if (shop.toLowerCase() !== this.options.shop) return refused('the webhook is of another shop');
    return { verdict: 'accepted', topic: topicOf(request) };
  }
}

function validatorWith(secret: string, shop: string): Validate {
  const { webhooks } = shopifyApi({
    apiKey: 'not needed to check a signature',
    apiSecretKey: secret,
    apiVersion: ApiVersion.July26,
    hostName: shop,
    isEmbeddedApp: false,
    // Its lines would go past the host's log, which keeps secrets out.
    logger: { level: LogSeverity.Error, log: () => undefined },
  });
  return async ({ method, path, headers, body }) => {
    try {
      const rawRequest = { method, url: path, headers };
      const { valid } = await webhooks.validate({ rawBody: body.toString('utf8'), rawRequest });
      return valid;
    } catch {
      return false;
    }
  };
}

/** What webhooks say, as documents of the host. Pure but for what was pushed and looked up before. */
export class WebhookTranslator {
  constructor(
    private readonly options: ShopifyOptions,
    private readonly catalogue: Catalogue,
    private readonly echoes: Echoes,
    private readonly log: ChannelLogger,
  ) {}

  /** Throws `UntranslatableError` where the body is not what Shopify documents for its topic. */
  translate(request: WebhookRequest): ChannelDocument[] {
    const topic = topicOf(request);
    if (topic === 'app/uninstalled') {
      this.log.error(
        'the app was uninstalled in the shop: install it again, or take the channel out of onhand.yaml',
      );
      return [];
    }
    const payload = asPayload(jsonIn(request.body));
    if (ORDER_TOPICS.includes(topic)) return this.orderOf(payload);
    if (topic === 'inventory_levels/update') return this.levelOf(payload);
    if (!CHANGE_TOPICS.test(topic)) {
      this.log.info('a webhook of a topic that says nothing of stock was left alone', { topic });
      return [];
    }
    const orderId = orderOfPayload(payload);
    // Shopify documents no order in some of them; the next poll finds what changed.
    return orderId === undefined ? [] : [{ kind: 'order-changed', orderId }];
  }

  /** Locations, barcodes and what returns put back are not in a webhook: then the order is read. */
  private orderOf(payload: Record<string, unknown>): ChannelDocument[] {
    const state = stateOfPayload(payload);
    if (state.isTest && !this.options.testOrders) return [];
    const { orderLocations, mapBy, returns } = this.options;
    const isWhole = orderLocations !== 'assigned' && mapBy === 'sku' && !(returns && hasReturns(payload));
    return isWhole ? [documentOf(state, this.options)] : [{ kind: 'order-changed', orderId: state.orderId }];
  }

  /** No cause is told. An item that nothing was pushed or read of yet has no SKU here, and is seen by the next read. */
  private levelOf(payload: Record<string, unknown>): ChannelDocument[] {
    const itemId = itemIn(payload);
    const locationId = plainId(payload.location_id, 'location_id');
    // Null where the location has just stopped to stock the item.
    if (payload.available === null) return [];
    if (!Number.isSafeInteger(payload.available))
      throw new UntranslatableError('available must be a whole number');
    const quantityUnits = Math.max(payload.available as number, 0);
    const changedAt = Date.parse(instant(payload.updated_at, 'updated_at'));
    const channelSku = this.catalogue.codeOfItem(itemId);
    if (channelSku === undefined || this.echoes.isEcho(itemId, locationId, quantityUnits, changedAt))
      return [];
    return [{ kind: 'shown-inventory', items: [{ channelSku, channelLocation: locationId, quantityUnits }] }];
  }
}

/** The level's global id carries the item's in its query, whole also where the number beside it was rounded. */
function itemIn({ admin_graphql_api_id: level, inventory_item_id: number }: Record<string, unknown>): string {
  const inLevel =
    typeof level === 'string' ? /[?&]inventory_item_id=(\d{1,20})$/.exec(level)?.[1] : undefined;
  if (inLevel !== undefined) {
    shortId(level, 'InventoryLevel', 'admin_graphql_api_id');
    return inLevel;
  }
  return plainId(number, 'inventory_item_id');
}

function topicOf({ headers }: WebhookRequest): string {
  return (headers['x-shopify-topic'] ?? '').toLowerCase();
}

function jsonIn(body: Buffer): unknown {
  try {
    // Bytes that are no UTF-8 would be replaced in silence, and two SKUs could become one.
    return parseJsonLossless(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // The parser's own message quotes the body, which holds the buyer's data.
    throw new UntranslatableError('the webhook body is not JSON in UTF-8');
  }
}

function refused(reason: string): WebhookVerdict {
  return { verdict: 'refused', status: 401, reason };
}
