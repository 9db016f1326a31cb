import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsString,
  IsUrl,
  Matches,
  Max,
  Min,
  MinLength,
  ValidateIf,
} from 'class-validator';
import { FieldPath, HeaderName, Nested, Optional, PathTemplate } from './generic-rest.options-rules';

export class AuthOptions {
  @IsIn(['none', 'bearer', 'basic', 'header'])
  kind: 'none' | 'bearer' | 'basic' | 'header' = 'none';

  /** With `bearer`. */
  @ValidateIf((auth: AuthOptions) => auth.kind === 'bearer')
  @IsString()
  @IsNotEmpty({ message: 'is required where auth.kind is "bearer"' })
  token?: string;

  /** With `basic`. */
  @ValidateIf((auth: AuthOptions) => auth.kind === 'basic')
  @IsString()
  @Matches(/^[^:]+$/, { message: 'is required where auth.kind is "basic", and has no colon' })
  username?: string;

  @ValidateIf((auth: AuthOptions) => auth.kind === 'basic')
  @IsString()
  @IsNotEmpty({ message: 'is required where auth.kind is "basic"' })
  password?: string;

  /** With `header`: its name and value. */
  @ValidateIf((auth: AuthOptions) => auth.kind === 'header')
  @HeaderName()
  name?: string;

  @ValidateIf((auth: AuthOptions) => auth.kind === 'header')
  @IsString()
  @IsNotEmpty({ message: 'is required where auth.kind is "header"' })
  value?: string;
}

export class PagingOptions {
  /** `cursor`: the answer names the next page. `page` and `offset` count, up to the first empty page. */
  @IsIn(['none', 'cursor', 'page', 'offset'])
  kind: 'none' | 'cursor' | 'page' | 'offset' = 'cursor';

  /** Query parameter that takes the cursor, page or offset; called like the kind when absent. */
  @Optional()
  @IsString()
  @IsNotEmpty()
  parameter?: string;

  /** Where an answer has the next page's cursor. The last page has none, null or an empty one. */
  @FieldPath()
  nextCursorPath: string = 'next_cursor';

  /** Number of the first page. */
  @IsInt()
  @Min(0)
  @Max(1)
  firstPage: number = 1;

  @IsString()
  pageSizeParameter: string = 'limit';

  @IsInt()
  @Min(1)
  @Max(1000)
  pageSize: number = 100;

  /** A list that goes on for longer is taken for one without an end. */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  maxPages: number = 10_000;
}

export class PushFields {
  @FieldPath()
  sku: string = 'sku';

  @FieldPath()
  quantity: string = 'quantity';

  /** Where absent, the shop keeps stock in one place. */
  @Optional()
  @FieldPath()
  location?: string;

  /** Takes what we believe the shop shows. The shop refuses the row where it shows something else. */
  @Optional()
  @FieldPath()
  expected?: string;
}

/** Where a batch's answer says what became of each row. A row with anything at `code` was rejected. */
export class PushResultFields {
  @FieldPath({ orWhole: true })
  itemsPath: string = 'results';

  @FieldPath()
  sku: string = 'sku';

  @FieldPath()
  code: string = 'error.code';

  @FieldPath()
  message: string = 'error.message';

  @FieldPath()
  retryable: string = 'error.retryable';

  /** With `fields.expected`: where a refused row says what the shop shows. A row without it is an ordinary refusal. */
  @FieldPath()
  shown: string = 'shown';
}

export class PushOptions {
  /** One call for many listings, or one call each. */
  @IsBoolean()
  batch: boolean = true;

  /** POST with `batch`, otherwise PUT. */
  @Optional()
  @IsIn(['POST', 'PUT', 'PATCH'])
  method?: 'POST' | 'PUT' | 'PATCH';

  /** `/api/inventory/batch` with `batch`, otherwise `/api/inventory/{sku}`. */
  @Optional()
  @PathTemplate(['sku', 'location'])
  path?: string;

  /** Most listings the host hands over at once; 100 with `batch`, otherwise 20. */
  @Optional()
  @IsInt()
  @Min(1)
  @Max(1000)
  batchSize?: number;

  /** Where a batch's rows go in the request; the rows are the whole body when empty. */
  @FieldPath({ orWhole: true })
  itemsPath: string = '';

  @Nested(() => PushFields)
  fields: PushFields = new PushFields();

  /** `rows`: a batch's answer tells of each row. `status`: a 2xx speaks for all of them. */
  @IsIn(['rows', 'status'])
  answers: 'rows' | 'status' = 'rows';

  @Nested(() => PushResultFields)
  results: PushResultFields = new PushResultFields();
}

export class InventoryFields {
  @FieldPath()
  sku: string = 'sku';

  @FieldPath()
  quantity: string = 'quantity';

  @Optional()
  @FieldPath()
  location?: string;

  @FieldPath()
  title: string = 'title';

  @FieldPath()
  barcode: string = 'barcode';
}

export class ReadOptions {
  @PathTemplate([])
  path: string = '/api/inventory';

  @FieldPath({ orWhole: true })
  itemsPath: string = 'items';

  @Nested(() => InventoryFields)
  fields: InventoryFields = new InventoryFields();

  @Nested(() => PagingOptions)
  paging: PagingOptions = new PagingOptions();
}

export class OrderFields {
  @FieldPath()
  id: string = 'id';

  /** A number that grows with each change. Where only `updatedAt` is named, that time is the revision. */
  @Optional()
  @FieldPath()
  revision?: string;

  @Optional()
  @FieldPath()
  updatedAt?: string;

  @FieldPath()
  placedAt: string = 'placed_at';

  @FieldPath()
  lines: string = 'lines';

  /** The rest are paths within a line; counts the shop leaves out are 0, except `ordered`. */
  @FieldPath()
  lineId: string = 'id';

  @FieldPath()
  sku: string = 'sku';

  @Optional()
  @FieldPath()
  location?: string;

  @FieldPath()
  ordered: string = 'ordered';

  @FieldPath()
  cancelled: string = 'cancelled';

  @FieldPath()
  fulfilled: string = 'fulfilled';

  @FieldPath()
  returned: string = 'returned';
}

export class OrdersOptions {
  @PathTemplate([])
  path: string = '/api/orders';

  @FieldPath({ orWhole: true })
  itemsPath: string = 'items';

  /** Query parameter that takes the ISO time since when orders have changed. */
  @IsString()
  @IsNotEmpty()
  sinceParameter: string = 'updated_since';

  @Nested(() => PagingOptions)
  paging: PagingOptions = new PagingOptions();

  @Nested(() => OrderFields)
  fields: OrderFields = new OrderFields();
}

export class WebhookOptions {
  /** Key of the HMAC over the raw body. */
  @IsString()
  @MinLength(8, { message: 'must have at least 8 characters; a shorter key can be guessed' })
  secret!: string;

  /** Accepted beside `secret` while the shop changes over. */
  @Optional()
  @IsString()
  @MinLength(8, { message: 'must have at least 8 characters; a shorter key can be guessed' })
  previousSecret?: string;

  @HeaderName()
  signatureHeader: string = 'x-shop-signature';

  @IsIn(['sha256', 'sha512'])
  algorithm: 'sha256' | 'sha512' = 'sha256';

  @IsIn(['hex', 'base64'])
  encoding: 'hex' | 'base64' = 'hex';

  /** Text before the signature in its header, such as `sha256=`. */
  @IsString()
  prefix: string = '';

  /** Only a label for operators: a header is not signed, so nothing is decided by it. */
  @HeaderName()
  topicHeader: string = 'x-shop-topic';

  /** Where the body has the order; the whole body when empty. */
  @FieldPath({ orWhole: true })
  orderPath: string = '';
}

export class LimitOptions {
  @IsNumber()
  @Min(0.001)
  @Max(10_000)
  perSecond: number = 10;

  @IsInt()
  @Min(1)
  @Max(10_000)
  burst: number = 20;
}

export class CancelOptions {
  @PathTemplate(['orderId'], { requires: 'orderId' })
  path: string = '/api/orders/{orderId}/cancel';

  /** Where a 202 has the receipt of a cancellation that is decided later. */
  @FieldPath()
  receiptPath: string = 'receipt';
}

/** Options of one generic REST channel. Paths and fields default to the shape the simulator documents. */
export class GenericRestOptions {
  @IsUrl(
    {
      protocols: ['http', 'https'],
      require_protocol: true,
      require_tld: false,
      disallow_auth: true,
      allow_query_components: false,
      allow_fragments: false,
    },
    { message: 'must be an http or https URL without credentials or query, such as https://shop.example' },
  )
  baseUrl!: string;

  @Nested(() => AuthOptions)
  auth: AuthOptions = new AuthOptions();

  @Nested(() => PushOptions)
  push: PushOptions = new PushOptions();

  @Nested(() => ReadOptions)
  read: ReadOptions = new ReadOptions();

  @Nested(() => OrdersOptions)
  orders: OrdersOptions = new OrdersOptions();

  @Nested(() => WebhookOptions)
  webhook!: WebhookOptions;

  @Nested(() => LimitOptions)
  limit: LimitOptions = new LimitOptions();

  /** Where absent, the shop cannot cancel orders by API. */
  @Optional()
  @Nested(() => CancelOptions)
  cancel?: CancelOptions;

  /** Bound of one call, in ms. */
  @IsInt()
  @Min(100)
  @Max(60_000)
  timeoutMs: number = 10_000;
}

/** Every value of the options that must not be seen, with the form in which basic authentication sends it. */
export function secretsOf({ auth, webhook }: GenericRestOptions): string[] {
  const basic =
    auth.kind === 'basic' ? Buffer.from(`${auth.username}:${auth.password}`).toString('base64') : undefined;
  return [auth.token, auth.password, auth.value, basic, webhook.secret, webhook.previousSecret].filter(
    (secret): secret is string => typeof secret === 'string' && secret !== '',
  );
}
