import {
  IsInt,
  IsNotEmpty,
  IsObject,
  IsString,
  IsUrl,
  Max,
  Min,
  MinLength,
  Type,
  ValidateNested,
} from 'onhand/channel-api';

export class WebhookOptions {
  /** Key of the HMAC over the raw body. */
  @IsString()
  @MinLength(8, { message: 'must have at least 8 characters' })
  secret!: string;
}

export class JsonShopOptions {
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  url!: string;

  @IsString()
  @IsNotEmpty()
  token!: string;

  @Type(() => WebhookOptions)
  @IsObject()
  @ValidateNested()
  webhook!: WebhookOptions;

  /** What the shop allows. */
  @IsInt()
  @Min(1)
  @Max(1_000)
  callsPerSecond: number = 50;
}
