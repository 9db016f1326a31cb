import { AccessConfig } from './access.config';
import { ActivityConfig } from './activity.config';
import { AlertsConfig } from './alerts.config';
import { BreakerConfig } from './breaker.config';
import { HostBufferConfig } from './buffer.config';
import { ChannelConfig, ChannelList } from './channel.config';
import { ChecksConfig, CountsConfig } from './counts.config';
import {
  Address,
  List,
  Mapping,
  Nullable,
  OneOf,
  PublicAddress,
  TextLike,
  TrueOrFalseOr,
  TrueOrFalseOrHops,
  WholeNumber,
} from './field-rules';
import { OutboundConfig } from './outbound.config';
import { DeliveriesConfig, ReceiverConfig } from './receiver.config';
import { TelemetryConfig } from './telemetry.config';
import { type Role, ROLE_EXPECTED, ROLE_TEXT, ROLES } from './role';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export class ServerConfig {
  @TextLike(/^[^\s/]+$/, 'a host name or address to listen on, such as 127.0.0.1')
  readonly host: string = '127.0.0.1';

  /** 0 lets the system choose a free one. */
  @WholeNumber(0, 65_535)
  readonly port: number = 3000;

  /** How channels reach this host, without a slash at the end; null when they cannot. */
  @Nullable()
  @PublicAddress()
  readonly publicUrl: string | null = null;

  @WholeNumber(1_024, 104_857_600)
  readonly bodyLimitBytes: number = 1_048_576;

  /** Whether `X-Forwarded-*` is believed: never, always, or from so many proxies in front. */
  @TrueOrFalseOrHops()
  readonly trustProxy: boolean | number = false;
}

export class DatabaseConfig {
  /** null starts the embedded PostgreSQL. */
  @Nullable()
  @Address(['postgres:', 'postgresql:'], 'an address such as postgres://user@host:5432/onhand')
  readonly url: string | null = null;

  @WholeNumber(1, 1_000)
  readonly poolSize: number = 10;
}

export class LogConfig {
  @OneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent')
  readonly level: LogLevel = 'info';

  /** `auto`: when standard output is a terminal. */
  @TrueOrFalseOr('auto')
  readonly pretty: boolean | 'auto' = 'auto';
}

export class RedisConfig {
  /** null keeps jobs in the process. */
  @Nullable()
  @Address(['redis:', 'rediss:'], 'an address such as redis://host:6379')
  readonly url: string | null = null;
}

export class LocationConfig {
  @TextLike(/^[A-Za-z0-9][\w.-]{0,62}$/, 'a code of 1 to 63 letters, digits, dots, dashes and underscores')
  readonly code: string = '';

  /** For people; the code where none is given. */
  @TextLike(/^/, 'a name, such as Main warehouse')
  readonly name: string = '';

  /** Stock is taken from the lowest number first. */
  @WholeNumber(1, 1_000_000)
  readonly priority: number = 1;
}

export class ReservationsConfig {
  @WholeNumber(1, 31_536_000)
  readonly maxTtlSeconds: number = 604_800;

  @WholeNumber(1, 3_600)
  readonly expireEverySeconds: number = 1;
}

export class LedgerConfig {
  /** Most commands in one transaction. */
  @WholeNumber(1, 10_000)
  readonly maxBatch: number = 256;

  /** Transactions that may be in flight at once. */
  @WholeNumber(1, 64)
  readonly lanes: number = 1;
}

export class IntakeConfig {
  @WholeNumber(1, 3_600)
  readonly sweepEverySeconds: number = 10;

  @WholeNumber(1, 100)
  readonly maxAttempts: number = 10;

  /** How much of the time before the last poll the next one reads again: clocks differ, and channels list late. */
  @WholeNumber(0, 86_400)
  readonly pollOverlapSeconds: number = 600;
}

export class PushConfig {
  @WholeNumber(1, 3_600)
  readonly pollEverySeconds: number = 5;

  @WholeNumber(5, 3_600)
  readonly leaseSeconds: number = 60;

  /** A listing refused so often in a row waits for a person. */
  @WholeNumber(1, 100)
  readonly maxAttempts: number = 10;

  /** How often what a channel only accepted is read back. */
  @WholeNumber(1, 3_600)
  readonly confirmEverySeconds: number = 30;

  /** What it does not show by then is pushed again. */
  @WholeNumber(1, 86_400)
  readonly confirmWithinSeconds: number = 900;
}

/** How long the host lets a channel's own limits hold it up. */
export class LimitsConfig {
  /** Longest that a call waits for its turn; then it is given up, unsent. */
  @WholeNumber(1, 300)
  readonly maxWaitSeconds: number = 30;

  /** Longest pause that a channel's Retry-After is believed. */
  @WholeNumber(1, 86_400)
  readonly maxRetryAfterSeconds: number = 900;
}

/**
 * Everything that can be configured, resolved and deep-frozen by `loadConfig`; also the token to inject
 * it by. The decorated fields are the settings of `onhand.yaml`, the others say where they came from.
 */
export class Config {
  /** What this host does of the work that several may share; `roles` has it word by word. */
  @TextLike(ROLE_TEXT, ROLE_EXPECTED)
  readonly role: string = 'all';

  @Mapping() readonly server: ServerConfig = new ServerConfig();
  @Mapping() readonly database: DatabaseConfig = new DatabaseConfig();

  /** Absolute path of the folder for the embedded database and other local state. */
  @TextLike(/\S/, 'a folder for local data, such as ./data')
  readonly dataDir: string = './data';

  @Mapping() readonly log: LogConfig = new LogConfig();
  @Mapping() readonly redis: RedisConfig = new RedisConfig();

  @List('a list with at least one location, such as [{ code: main }]', 1)
  readonly locations: readonly LocationConfig[] = [mainLocation()];

  @Mapping() readonly reservations: ReservationsConfig = new ReservationsConfig();
  @Mapping() readonly ledger: LedgerConfig = new LedgerConfig();
  @Mapping() readonly buffers: HostBufferConfig = new HostBufferConfig();
  @Mapping() readonly intake: IntakeConfig = new IntakeConfig();
  @Mapping() readonly push: PushConfig = new PushConfig();
  @Mapping() readonly outbound: OutboundConfig = new OutboundConfig();
  @Mapping() readonly limits: LimitsConfig = new LimitsConfig();
  @Mapping() readonly breaker: BreakerConfig = new BreakerConfig();
  @Mapping() readonly access: AccessConfig = new AccessConfig();
  @Mapping() readonly counts: CountsConfig = new CountsConfig();
  @Mapping() readonly checks: ChecksConfig = new ChecksConfig();
  @Mapping() readonly activity: ActivityConfig = new ActivityConfig();
  @Mapping() readonly alerts: AlertsConfig = new AlertsConfig();
  @Mapping() readonly deliveries: DeliveriesConfig = new DeliveriesConfig();

  @List('a list of receivers, each starting with "- name:"')
  readonly receivers: readonly ReceiverConfig[] = [];

  @Mapping() readonly telemetry: TelemetryConfig = new TelemetryConfig();

  @ChannelList()
  readonly channels: readonly ChannelConfig[] = [];

  /** `role` as a list, each role once. */
  readonly roles: readonly Role[] = ROLES;
  /** From ONHAND_ADMIN_KEY only, at least 16 characters; null when not set. Secret. */
  readonly adminKey: string | null = null;
  /** From ONHAND_SECRET_KEYS only, 32 bytes each in Base64, the first one seals; empty when not set. Secret. */
  readonly secretKeys: readonly string[] = [];
  /** True when the file or ONHAND_DATA_DIR names the data folder; false for the default one. */
  readonly dataDirExplicit: boolean = false;
  /** Absolute path of the file read; null when there is none. */
  readonly file: string | null = null;
  /** Absolute folder that relative paths of the file start from, also for plugins to be resolved from. */
  readonly folder: string = '';
  /** Paths such as `channels[0].options.token` whose value came from a `${VAR}`: never to be shown. */
  readonly fromVariables: readonly string[] = [];
}

function mainLocation(): LocationConfig {
  return Object.assign(new LocationConfig(), { code: 'main', name: 'Main warehouse' });
}
