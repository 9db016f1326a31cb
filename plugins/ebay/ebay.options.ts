import {
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsString,
  IsUrl,
  Matches,
  Max,
  Min,
  Type,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'onhand/channel-api';
import { InventoryCheckOptions } from './ebay.inventory-check';

/** What the plugin calls with; the token it is given has these scopes or fewer, as the seller consented. */
export const DEFAULT_SCOPES: readonly string[] = [
  'https://api.ebay.com/oauth/api_scope/sell.inventory',
  'https://api.ebay.com/oauth/api_scope/sell.fulfillment',
  'https://api.ebay.com/oauth/api_scope/sell.finances',
  'https://api.ebay.com/oauth/api_scope/commerce.notification.subscription',
];

const BASE_URL = {
  protocols: ['http', 'https'],
  require_protocol: true,
  require_tld: false,
  disallow_auth: true,
  allow_query_components: false,
  allow_fragments: false,
};

/** May be left out, but not be null: a YAML key with nothing behind it is a slip, not a choice. */
function Optional(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** A nested group of options, validated by its own class. */
function Nested(type: () => new () => object): PropertyDecorator {
  return (target, property) => {
    Type(type)(target, property);
    IsObject({ message: 'must be a mapping of names to values' })(target, property as string);
    ValidateNested()(target, property as string);
  };
}

function BelowRevisions(): PropertyDecorator {
  return ValidateBy({
    name: 'belowRevisions',
    validator: {
      validate: (value, args) => Number(value) < (args?.object as EbayOptions).revisionsPerListingPerDay,
      defaultMessage: () => 'must be below revisionsPerListingPerDay, or nothing but 0 is ever shown',
    },
  });
}

export class WebhookOptions {
  /** Chosen by you, given to eBay with the destination; proves in the challenge that the endpoint is yours. */
  @Matches(/^[A-Za-z0-9_-]{32,80}$/, {
    message: 'must have 32 to 80 characters out of letters, digits, "_" and "-"',
  })
  verificationToken!: string;

  /**
   * The public address at which eBay reaches `/webhooks/<channel>`, byte for byte as it is registered: it goes
   * into the challenge's hash.
   */
  @IsUrl(BASE_URL, {
    message: 'must be the full public address, such as https://stock.example/webhooks/ebay',
  })
  endpoint!: string;

  /** Whom eBay tells that notifications cannot be delivered; postmaster of the endpoint's host where absent. */
  @Optional()
  @IsEmail()
  alertEmail?: string;
}

/** Sellers in the EU and the UK must sign refunds and cancellations with a key of eBay's Key Management API. */
export class DigitalSignatureOptions {
  @IsBoolean()
  enabled: boolean = false;

  /** As `createSigningKey` gave it, with or without its PEM lines. Where absent, a key is made when one is needed. */
  @ValidateIf((signature: DigitalSignatureOptions) => isGiven(signature.privateKey ?? signature.jwe))
  @IsString()
  @IsNotEmpty({ message: 'is required where digitalSignature.jwe is given' })
  privateKey?: string;

  /** The public key as a JWE, as `createSigningKey` gave it; it travels with each signed call. */
  @ValidateIf((signature: DigitalSignatureOptions) => isGiven(signature.privateKey ?? signature.jwe))
  @IsString()
  @IsNotEmpty({ message: 'is required where digitalSignature.privateKey is given' })
  jwe?: string;

  /** With it `onhand doctor` says when the key expires. */
  @Optional()
  @IsString()
  @IsNotEmpty()
  signingKeyId?: string;
}

export class CancelOptions {
  /**
   * eBay counts a cancellation for want of stock as a defect of the seller. So nothing is cancelled unless this
   * is set, and then whole orders only.
   */
  @IsBoolean()
  enabled: boolean = false;

  @IsIn(['OUT_OF_STOCK_OR_CANNOT_FULFILL', 'BUYER_ASKED_CANCEL', 'ADDRESS_ISSUES'])
  reason: 'OUT_OF_STOCK_OR_CANNOT_FULFILL' | 'BUYER_ASKED_CANCEL' | 'ADDRESS_ISSUES' =
    'OUT_OF_STOCK_OR_CANNOT_FULFILL';

  /** eBay refunds what it handled the payment of with the cancellation; `plugin` has it refunded by a call of its own. */
  @IsIn(['ebay', 'plugin'])
  refund: 'ebay' | 'plugin' = 'ebay';
}

/** Units a day where eBay does not tell them itself (`getRateLimits`). */
export class QuotaOptions {
  @IsInt()
  @Min(1)
  inventory: number = 2_000_000;

  @IsInt()
  @Min(1)
  fulfillment: number = 100_000;

  @IsInt()
  @Min(1)
  postOrder: number = 10_000;

  @IsInt()
  @Min(1)
  notification: number = 10_000;

  /** Refreshing user tokens. */
  @IsInt()
  @Min(1)
  refreshTokens: number = 50_000;

  /** Application tokens (client credentials). */
  @IsInt()
  @Min(1)
  applicationTokens: number = 1_000;
}

export class LimitOptions {
  /** Of all calls together; eBay documents quotas a day and no rate, so that this is a courtesy. */
  @IsNumber()
  @Min(0.001)
  @Max(10_000)
  perSecond: number = 20;

  @IsInt()
  @Min(1)
  @Max(10_000)
  burst: number = 40;
}

/** Base URLs in place of eBay's own. For a simulator; leave it out otherwise. */
export class EndpointOptions {
  /** https://api.ebay.com or https://api.sandbox.ebay.com where absent. */
  @Optional()
  @IsUrl(BASE_URL, { message: 'must be an http or https URL without credentials or query' })
  api?: string;

  /** https://apiz.ebay.com or https://apiz.sandbox.ebay.com where absent. */
  @Optional()
  @IsUrl(BASE_URL, { message: 'must be an http or https URL without credentials or query' })
  apiz?: string;

  /** Host of `/identity/v1/oauth2/token`; that of `api` where absent. */
  @Optional()
  @IsUrl(BASE_URL, { message: 'must be an http or https URL without credentials or query' })
  auth?: string;
}

/** Options of one eBay account: a channel serves all of its listings, on whichever marketplace. */
export class EbayOptions {
  @IsIn(['production', 'sandbox'])
  environment: 'production' | 'sandbox' = 'production';

  /** Where the seller is at home; goes with each call as X-EBAY-C-MARKETPLACE-ID. */
  @Matches(/^EBAY_[A-Z]+(_[A-Z]+)*$/, { message: 'must be one of eBay’s marketplaces, such as EBAY_DE' })
  marketplaceId!: string;

  /** "App ID" of the keyset. */
  @IsString()
  @IsNotEmpty()
  clientId!: string;

  /** "Cert ID" of the keyset. */
  @IsString()
  @IsNotEmpty()
  clientSecret!: string;

  /**
   * The RuName of the keyset ("eBay Redirect URL name"). With it the host has the seller consent (`onhand authorize`)
   * and keeps what eBay gives for it.
   */
  @Optional()
  @Matches(/^[\w.-]{1,200}$/, { message: 'must be the RuName of the keyset, and not an address' })
  ruName?: string;

  /** From a consent that was given elsewhere. One that is given to the host counts before it. */
  @ValidateIf(({ ruName, refreshToken }: EbayOptions) => ruName === undefined || refreshToken !== undefined)
  @IsString({ message: 'is required where ruName is not given' })
  @IsNotEmpty({ message: 'is required where ruName is not given' })
  refreshToken?: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsString({ each: true })
  scopes: string[] = [...DEFAULT_SCOPES];

  /**
   * SKUs in one `bulk_update_price_quantity`. eBay's contract says 25 in one place and one in another; where eBay
   * refuses a call of many, set 1.
   */
  @IsInt()
  @Min(1)
  @Max(25)
  batchSize: number = 25;

  /** eBay's bound on changes of one listing. */
  @IsInt()
  @Min(2)
  @Max(100_000)
  revisionsPerListingPerDay: number = 250;

  /** Of these, so many are kept for showing 0: a listing that cannot be changed any more must not be oversold. */
  @IsInt()
  @Min(1)
  @BelowRevisions()
  revisionReserve: number = 10;

  /** How long a revision counts. A day and a bit, whichever time zone eBay's day has; shorter for a simulator only. */
  @IsInt()
  @Min(1)
  @Max(604_800)
  revisionWindowSeconds: number = 86_520;

  /**
   * eBay shows the smaller of an item's quantity and its offer's. Offers cost a call for each SKU: they are read
   * for the SKUs that are asked for by name, or always.
   */
  @IsIn(['named', 'always'])
  readOffers: 'named' | 'always' = 'named';

  /** Where absent, eBay sends no notifications here, and orders come by poll alone. */
  @Optional()
  @Nested(() => WebhookOptions)
  webhook?: WebhookOptions;

  /** Where absent, eBay's Real-time Inventory Check is not answered. */
  @Optional()
  @Nested(() => InventoryCheckOptions)
  inventoryCheck?: InventoryCheckOptions;

  @Nested(() => DigitalSignatureOptions)
  digitalSignature: DigitalSignatureOptions = new DigitalSignatureOptions();

  @Nested(() => CancelOptions)
  cancel: CancelOptions = new CancelOptions();

  @Nested(() => QuotaOptions)
  quotas: QuotaOptions = new QuotaOptions();

  @Nested(() => LimitOptions)
  limit: LimitOptions = new LimitOptions();

  @Nested(() => EndpointOptions)
  endpoints: EndpointOptions = new EndpointOptions();

  /** Bound of one call, in ms. */
  @IsInt()
  @Min(100)
  @Max(60_000)
  timeoutMs: number = 15_000;
}

/** Every value of the options that must not be seen, with the form in which the token endpoint is sent it. */
export function secretsOf(options: EbayOptions): string[] {
  const { clientId, clientSecret, refreshToken, webhook, inventoryCheck, digitalSignature } = options;
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  return [
    ...[clientSecret, refreshToken, basic, digitalSignature.privateKey],
    ...[webhook?.verificationToken, inventoryCheck?.clientSecret],
  ].filter((secret): secret is string => typeof secret === 'string' && secret !== '');
}

function isGiven(value: unknown): boolean {
  return value !== undefined;
}
