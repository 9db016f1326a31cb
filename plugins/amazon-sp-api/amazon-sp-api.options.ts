// Brings the metadata the decorators below look up; must come before class-transformer's use.
import 'onhand/channel-api';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsString,
  IsUrl,
  Matches,
  Max,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

export type Region = 'na' | 'eu' | 'fe';

/** May be left out, but not be null: a YAML key with nothing behind it is a slip, not a choice. */
const Optional = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

/** An address of ours in place of Amazon's: for a simulator, and never needed against Amazon itself. */
function Address(): PropertyDecorator {
  return IsUrl(
    {
      protocols: ['http', 'https'],
      require_protocol: true,
      require_tld: false,
      disallow_auth: true,
      allow_query_components: false,
      allow_fragments: false,
    },
    { message: 'must be an http or https URL without credentials or query' },
  ) as PropertyDecorator;
}

function Text(message: string): PropertyDecorator {
  return (target, property) => {
    IsString({ message })(target, property as string);
    IsNotEmpty({ message })(target, property as string);
  };
}

function Nested(type: () => new () => object): PropertyDecorator {
  return (target, property) => {
    Type(type)(target, property);
    IsObject({ message: 'must be a mapping of names to values' })(target, property as string);
    ValidateNested()(target, property as string);
  };
}

/** The queue that Amazon's notifications go to: see the plugin's README for how it is made. */
export class SqsOptions {
  /** Such as `https://sqs.eu-west-1.amazonaws.com/123456789012/onhand-amazon`; a standard queue, for FIFO ones receive nothing. */
  @Address()
  @Matches(/^(?!.*\.fifo$)/, { message: 'must be a standard queue: Amazon sends nothing to FIFO queues' })
  queueUrl!: string;

  /** AWS region of the queue, such as `eu-west-1`. */
  @Matches(/^[a-z]{2}(-[a-z]+)+-\d$/, { message: 'must be an AWS region such as eu-west-1' })
  region!: string;

  @Text('must be the access key id of an IAM user who may receive from the queue and delete from it')
  accessKeyId!: string;

  @Text('must be the secret access key that belongs to accessKeyId')
  secretAccessKey!: string;

  /** Where SQS answers; that of the region unless told. For a simulator. */
  @Optional()
  @Address()
  endpoint?: string;

  /** How long one call waits for messages. */
  @IsInt()
  @Min(0)
  @Max(20)
  waitSeconds: number = 20;

  /**
   * Has Amazon send LISTINGS_ITEM_MFN_QUANTITY_CHANGE to EventBridge in the queue's account, by which pushes are
   * confirmed at once. A rule there must pass it on to the queue: see the README.
   */
  @IsBoolean()
  eventBridge: boolean = false;
}

/** When listings go by feed instead of one call each, and what is done when a feed does not end. */
export class FeedOptions {
  /** A push of so many listings or more is one feed; fewer are sent one by one, five in a second. */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  fromListings: number = 600;

  /** Most messages of one feed, and most listings that the host hands over at once. Amazon takes 25,000. */
  @IsInt()
  @Min(1)
  @Max(25_000)
  maxMessages: number = 25_000;

  /** A feed that has not ended after so long is given up, and its listings are pushed again. */
  @IsInt()
  @Min(10)
  @Max(10_080)
  stuckAfterMinutes: number = 240;
}

/** Stock at Amazon's own warehouses. Read and counted, never pushed. */
export class FbaOptions {
  /** The name it has under the channel's `locations`, which maps it to a location of the ledger. */
  @Text('must be the name that the channel has for it under its locations, such as FBA')
  location: string = 'FBA';
}

export class ReadOptions {
  /** A catalogue that has more SKUs than this in a marketplace is read by report, not page by page. */
  @IsInt()
  @Min(20)
  @Max(1_000)
  reportFromListings: number = 1_000;
}

export class ReturnsOptions {
  /** How far back the report of returns looks; Amazon makes one of 60 days at most. */
  @IsInt()
  @Min(1)
  @Max(60)
  lookbackDays: number = 30;

  /** A report is asked for this often at most. */
  @IsInt()
  @Min(30)
  @Max(10_080)
  everyMinutes: number = 240;
}

/** Options of one seller account in one Amazon region. */
export class AmazonSpApiOptions {
  /** North America, Europe (with India and the Middle East) or Far East. */
  @IsIn(['na', 'eu', 'fe'], { message: 'must be na, eu or fe' })
  region!: Region;

  /** Those of the region that the account sells in, such as `A1PA6795UKMFR9`; the first is where unknown SKUs are looked for first. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @ArrayUnique({ message: 'must not name a marketplace twice' })
  @Matches(/^[A-Z0-9]{8,20}$/, { each: true, message: 'must be marketplace ids such as A1PA6795UKMFR9' })
  marketplaceIds!: string[];

  /** The account's merchant token, such as `A3TH9S8BH6GOGM`. */
  @Matches(/^[A-Z0-9]{5,30}$/, { message: 'must be the merchant token, such as A3TH9S8BH6GOGM' })
  sellerId!: string;

  @Text("must be the application's LWA client id")
  clientId!: string;

  @Text("must be the application's LWA client secret")
  clientSecret!: string;

  @Text('must be the refresh token that the seller authorised the application with')
  refreshToken!: string;

  /** When the client secret was made: Amazon lets it live for 180 days, and `onhand doctor` warns in time. */
  @Optional()
  @IsISO8601({ strict: true }, { message: 'must be a date such as 2026-05-01' })
  clientSecretIssuedAt?: string;

  /** In place of the region's SP-API address; for a simulator or Amazon's sandbox. */
  @Optional()
  @Address()
  endpoint?: string;

  /** In place of Login with Amazon; for a simulator. */
  @Optional()
  @Address()
  lwaEndpoint?: string;

  /** Where notifications come from; without it, all is read by polling. */
  @Optional()
  @Nested(() => SqsOptions)
  sqs?: SqsOptions;

  @Nested(() => FeedOptions)
  feeds: FeedOptions = new FeedOptions();

  /** Where absent, stock at Amazon's warehouses is left alone. */
  @Optional()
  @Nested(() => FbaOptions)
  fba?: FbaOptions;

  @Nested(() => ReadOptions)
  read: ReadOptions = new ReadOptions();

  /** Where absent, returns are not read: ordinary ones have no API, only a report. */
  @Optional()
  @Nested(() => ReturnsOptions)
  returns?: ReturnsOptions;

  /** For a simulator whose time runs so many times faster: usage plans and waits are scaled alike. */
  @IsNumber()
  @Min(1)
  @Max(10_000)
  timeScale: number = 1;
}

/** Every value of the options that must not be seen. */
export function secretsOf({ clientSecret, refreshToken, sqs }: AmazonSpApiOptions): string[] {
  return [clientSecret, refreshToken, ...(sqs ? [sqs.secretAccessKey] : [])];
}
