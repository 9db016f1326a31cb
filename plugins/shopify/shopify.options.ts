import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsString,
  IsUrl,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  Type,
  ValidateIf,
  ValidateNested,
} from 'onhand/channel-api';

const isKind =
  (...kinds: AuthOptions['kind'][]) =>
  ({ kind }: AuthOptions) =>
    kinds.includes(kind);

/**
 * How the app proves itself, by how it was made.
 * @see https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens
 */
export class AuthOptions {
  /**
   * `client-credentials`: an app of the shop's own organisation, made in the Dev Dashboard. `token`: an app
   * made in the shop's admin before 2026, with its token for ever. `expiring-token`: an app of somebody else
   * that was installed by OAuth, with a token of an hour and one that renews it.
   */
  @IsIn(['client-credentials', 'token', 'expiring-token'])
  kind: 'client-credentials' | 'token' | 'expiring-token' = 'client-credentials';

  /** With `token`: begins with `shpat_`. */
  @ValidateIf(isKind('token'))
  @IsString()
  @IsNotEmpty({ message: 'is required where auth.kind is "token"' })
  token?: string;

  @ValidateIf(isKind('client-credentials', 'expiring-token'))
  @IsString()
  @IsNotEmpty({ message: 'is required where auth.kind is "client-credentials" or "expiring-token"' })
  clientId?: string;

  @ValidateIf(isKind('client-credentials', 'expiring-token'))
  @IsString()
  @IsNotEmpty({ message: 'is required where auth.kind is "client-credentials" or "expiring-token"' })
  clientSecret?: string;

  /** With `expiring-token`: the first one; each renewal gives another, which the host keeps. */
  @ValidateIf(isKind('expiring-token'))
  @IsString()
  @IsNotEmpty({ message: 'is required where auth.kind is "expiring-token"' })
  refreshToken?: string;
}

/** Options of one shop. */
export class ShopifyOptions {
  /** The shop's own host name, whatever domain its customers see. */
  @Matches(/^[a-z0-9][a-z0-9-]*\.myshopify\.com$/, {
    message: 'must be the shop\'s own host name, such as "acme.myshopify.com"',
  })
  shop!: string;

  @Matches(/^20\d\d-(01|04|07|10)$/, { message: 'must be a stable version of the API, such as "2026-07"' })
  apiVersion: string = '2026-07';

  @Type(() => AuthOptions)
  @IsObject({ message: 'must be a mapping of names to values' })
  @ValidateNested()
  auth!: AuthOptions;

  /** Client secrets of the app that webhooks may be signed with: the current one, and the one before while it is rotated. */
  @IsArray()
  @ArrayMinSize(1, { message: 'must have at least one secret: the client secret of the app' })
  @ArrayMaxSize(4)
  @IsString({ each: true })
  @MinLength(8, { each: true, message: 'must each have at least 8 characters; a shorter key can be guessed' })
  webhookSecrets!: string[];

  /** What a listing's channel SKU is in the shop. */
  @IsIn(['sku', 'barcode'])
  mapBy: 'sku' | 'barcode' = 'sku';

  /**
   * Where orders are taken from: `none` leaves it to the host, `assigned` asks for the locations that Shopify
   * routed each order to, and the id of a location says that it is always that one.
   */
  @Matches(/^(none|assigned|\d{1,20})$/, { message: 'must be "none", "assigned" or the id of a location' })
  orderLocations: string = 'none';

  /** Whether what came back by Shopify's returns is read, for which the app needs the scope read_returns. */
  @IsBoolean()
  returns: boolean = true;

  /** Whether test orders reserve stock. */
  @IsBoolean()
  testOrders: boolean = false;

  /** Whether a location that does not stock an item yet is made to. */
  @IsBoolean()
  activateMissing: boolean = false;

  /** Whether Shopify mails its own notice of a cancellation or refund to the customer. */
  @IsBoolean()
  notifyCustomer: boolean = true;

  /** Shops with more variants than this are read by a bulk operation. */
  @IsInt()
  @Min(0)
  @Max(10_000)
  bulkAbove: number = 1_000;

  /** Bound of one call, in ms. */
  @IsInt()
  @Min(100)
  @Max(60_000)
  timeoutMs: number = 15_000;

  /** Where the API is instead of at the shop: for a simulated shop in tests, and for nothing else. */
  @ValidateIf((_, value) => value !== undefined)
  @IsUrl(
    {
      protocols: ['http', 'https'],
      require_protocol: true,
      require_tld: false,
      disallow_auth: true,
      allow_query_components: false,
      allow_fragments: false,
    },
    { message: 'must be an http or https URL without credentials or query' },
  )
  @MaxLength(200)
  endpoint?: string;
}

/** Every value of the options that must not be seen. */
export function secretsOf({ auth, webhookSecrets }: ShopifyOptions): string[] {
  return [auth.token, auth.clientSecret, auth.refreshToken, ...webhookSecrets].filter(
    (secret): secret is string => typeof secret === 'string' && secret !== '',
  );
}
