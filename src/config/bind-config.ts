import { validateSync } from 'class-validator';
import { AccessConfig } from './access.config';
import { ActivityConfig } from './activity.config';
import { ALERT_RULE_SECTIONS, AlertRulesConfig, AlertsConfig } from './alerts.config';
import { BreakerConfig } from './breaker.config';
import { BufferConfig, HostBufferConfig } from './buffer.config';
import { ChannelConfig } from './channel.config';
import {
  Config,
  DatabaseConfig,
  IntakeConfig,
  LedgerConfig,
  LimitsConfig,
  LocationConfig,
  LogConfig,
  PushConfig,
  RedisConfig,
  ReservationsConfig,
  ServerConfig,
} from './config';
import { ChecksConfig, CountsConfig } from './counts.config';
import type { FaultCollector } from './fault-collector';
import { type FieldKinds, isMapping, readFieldKinds } from './field-rules';
import type { KeyPath } from './key-path';
import { OutboundConfig } from './outbound.config';
import { DeliveriesConfig, ReceiverConfig, SmtpConfig } from './receiver.config';
import { ShortfallConfig } from './shortfall.config';
import { TelemetryConfig } from './telemetry.config';
import { suggest } from './suggestion';

/** A class and the fields of it that are classes themselves, or lists of them. */
export interface Shape<T extends object> {
  readonly type: new () => T;
  readonly sections?: { readonly [K in keyof T]?: Shape<object> };
  readonly lists?: { readonly [K in keyof T]?: Shape<object> };
}

const CHANNEL_SHAPE: Shape<ChannelConfig> = {
  type: ChannelConfig,
  sections: {
    buffer: { type: BufferConfig },
    breaker: { type: BreakerConfig },
    shortfall: { type: ShortfallConfig },
  },
};

const RECEIVER_SHAPE: Shape<ReceiverConfig> = {
  type: ReceiverConfig,
  sections: { smtp: { type: SmtpConfig } },
};

const ALERTS_SHAPE: Shape<AlertsConfig> = {
  type: AlertsConfig,
  sections: {
    rules: {
      type: AlertRulesConfig,
      sections: Object.fromEntries(Object.entries(ALERT_RULE_SECTIONS).map(([key, type]) => [key, { type }])),
    },
  },
};

export const CONFIG_SHAPE: Shape<Config> = {
  type: Config,
  sections: {
    server: { type: ServerConfig },
    database: { type: DatabaseConfig },
    log: { type: LogConfig },
    redis: { type: RedisConfig },
    reservations: { type: ReservationsConfig },
    ledger: { type: LedgerConfig },
    buffers: { type: HostBufferConfig },
    intake: { type: IntakeConfig },
    push: { type: PushConfig },
    outbound: { type: OutboundConfig },
    limits: { type: LimitsConfig },
    breaker: { type: BreakerConfig },
    access: { type: AccessConfig },
    counts: { type: CountsConfig },
    checks: { type: ChecksConfig },
    activity: { type: ActivityConfig },
    alerts: ALERTS_SHAPE,
    deliveries: { type: DeliveriesConfig },
    telemetry: { type: TelemetryConfig },
  },
  lists: { locations: { type: LocationConfig }, channels: CHANNEL_SHAPE, receivers: RECEIVER_SHAPE },
};

/** Keys that people look for in the file, with the place where they belong. */
const KEPT_ELSEWHERE: Readonly<Record<string, string>> = {
  adminKey: 'the environment variable ONHAND_ADMIN_KEY in its place; the key is not read from the file',
  secretKeys: 'the environment variable ONHAND_SECRET_KEYS in its place; keys are not read from the file',
};

/** Rules whose refused value may be anything, a pasted secret too: errors tell its kind only. */
const CONTAINER_RULES = ['mapping', 'list', 'textList'];

/** A `Config` of what was read, defaults filled in. Everything that does not fit becomes a fault. */
export function bindConfig(value: unknown, faults: FaultCollector): Config {
  return new Binder(faults).bind(CONFIG_SHAPE, value, []);
}

class Binder {
  constructor(private readonly faults: FaultCollector) {}

  bind<T extends object>(shape: Shape<T>, value: unknown, path: KeyPath): T {
    const section = new shape.type();
    // `server:` with every line below it commented out is null, and means the defaults.
    if (value === undefined || value === null) return this.validate(section, {}, path);
    if (!isMapping(value)) {
      this.faults.addKind(path, 'a mapping of settings', value);
      return section;
    }
    const kinds = readFieldKinds(shape.type);
    this.refuseUnknownKeys(value, kinds.keys, path);
    for (const key of kinds.keys.filter((known) => Object.hasOwn(value, known))) {
      const field = key as keyof T & string;
      section[field] = this.bindField(
        shape,
        section[field],
        field,
        value[key],
        path,
        kinds,
      ) as T[typeof field];
    }
    return this.validate(section, value, path);
  }

  private bindField<T extends object>(
    shape: Shape<T>,
    fallback: unknown,
    key: keyof T & string,
    value: unknown,
    parent: KeyPath,
    kinds: FieldKinds,
  ): unknown {
    const path = [...parent, key];
    const section = shape.sections?.[key];
    if (section !== undefined) return this.bind(section, value, path);
    const isContainer = typeof fallback === 'object' && fallback !== null;
    if (value === null && isContainer) return fallback;
    const item = shape.lists?.[key];
    if (item !== undefined && Array.isArray(value)) {
      return value.map((entry, index) => this.bind(item, entry, [...path, index]));
    }
    return this.faults.isFromEnvironment(path) ? convertText(value, key, kinds) : value;
  }

  private refuseUnknownKeys(value: Record<string, unknown>, known: readonly string[], path: KeyPath): void {
    for (const key of Object.keys(value).filter((candidate) => !known.includes(candidate))) {
      const elsewhere = path.length === 0 ? KEPT_ELSEWHERE[key] : undefined;
      const meant = suggest(key, known);
      const hint =
        meant === undefined ? `one of the keys ${known.join(', ')}` : `a known key; did you mean ${meant}?`;
      this.faults.addWithoutValue([...path, key], elsewhere ?? hint);
    }
  }

  /** Runs the class's decorators and records what they refuse, each field at most once. */
  private validate<T extends object>(section: T, value: Record<string, unknown>, path: KeyPath): T {
    for (const { property, constraints = {} } of validateSync(section)) {
      const fieldPath = [...path, property];
      const [failed] = Object.entries(constraints);
      if (failed === undefined || this.faults.has(fieldPath)) continue;
      const [rule, expected] = failed;
      const found = Object.hasOwn(value, property) ? value[property] : undefined;
      if (CONTAINER_RULES.includes(rule)) this.faults.addKind(fieldPath, expected, found);
      else this.faults.add(fieldPath, expected, found);
    }
    return section;
  }
}

/** Numbers and booleans from the environment arrive as text; only their one canonical form is converted. */
function convertText(value: unknown, key: string, kinds: FieldKinds): unknown {
  if (typeof value !== 'string') return value;
  if (kinds.numbers.has(key) && String(Number(value)) === value) return Number(value);
  if (kinds.booleans.has(key) && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
