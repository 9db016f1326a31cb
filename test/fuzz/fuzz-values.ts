import { FaultDice } from '../../src/channel-api';

/** Draws from a seed: the same seed gives the same requests. */
export class Draw {
  private readonly dice: FaultDice;

  constructor(seed: number) {
    this.dice = new FaultDice(seed);
  }

  chance(rate: number): boolean {
    return this.dice.draw(rate);
  }

  /** A whole number from 0 up to `most`, without it. */
  below(most: number): number {
    return Math.floor(this.dice.upTo(most));
  }

  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

const LONG = 'x'.repeat(70_000);

export const HOSTILE_TEXTS = [
  ...[
    '',
    ' ',
    '\0',
    'a\0b',
    '\r\nX-Injected: 1',
    'a\nlevel=error',
    '\u001b[31m',
    '\u2028',
    '\ud800',
    '\ufffe',
  ],
  ...['../../etc/passwd', '..', '.', '%', '%00', '%ff', '%2e%2e%2f', 'a/b', 'a%2Fb', '?', '#', ';', ','],
  ...["'; DROP TABLE ledger; --", "' OR 1=1 --", '$1', '\\', '"', '`id`', '${7*7}', '{{7*7}}', '<script>'],
  ...['NaN', 'Infinity', '-0', '1e400', '0x10', '9007199254740993', '9223372036854775808', '00', '+1', '٣'],
  ...['null', 'undefined', 'true', '[object Object]', '__proto__', 'constructor', 'toString'],
  ...['2024-02-31T00:00:00Z', '+275760-09-13T00:00:00.001Z', '0000-00-00', '-infinity', 'infinity', 'now'],
  ...['00000000-0000-0000-0000-000000000000', 'Ａ', 'é', 'é', '👩‍👩‍👧', '\u202e', 'x'.repeat(256), LONG],
];

export const HOSTILE_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1.5, 1e21, -1e308, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 1e-7, 0.1 + 0.2],
  ...[[], {}, [[]], [null], [{}], { length: -1 }, { toString: 1 }, { then: 1 }, [LONG], Array(2_000).fill(1)],
  nested(30),
  ...HOSTILE_TEXTS,
];

/** What reaches into prototypes, or would set what is not the caller's to set. */
export const FOREIGN_FIELDS = [
  ...['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'id', 'tenantId', 'reserved', 'available'],
  ...['version', 'actor', 'createdAt', 'recordedAt', 'idempotencyKey', 'scopes', 'hash', 'state', '', '$ne'],
];

export interface Schema {
  $ref?: string;
  type?: string;
  oneOf?: Schema[];
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  example?: unknown;
  format?: string;
}

/** Schemas by name, with the fields that validation knows where the document does not. */
export type Schemas = Readonly<Record<string, Schema>>;

/** A value as the schema has it; names that exist come from `known`. */
export function valueOf(
  schema: Schema,
  draw: Draw,
  { schemas, known }: Known,
  name = '',
  depth = 0,
): unknown {
  const within = { schemas, known };
  const target = schema.$ref === undefined ? schema : (schemas[schema.$ref.split('/').at(-1)!] ?? {});
  if (target.oneOf) return valueOf(draw.one(target.oneOf), draw, within, name, depth);
  if (target.enum) return draw.one(target.enum);
  if (target.type === 'array')
    return Array.from({ length: 1 + draw.below(3) }, () =>
      valueOf(target.items ?? {}, draw, within, name, depth + 1),
    );
  if (target.properties && depth < 6)
    return Object.fromEntries(
      Object.entries(target.properties)
        .filter(([field]) => draw.chance(target.required?.includes(field) ? 0.98 : 0.3))
        .map(([field, each]) => [field, valueOf(each, draw, within, field, depth + 1)]),
    );
  if (known[name] && draw.chance(0.9)) return draw.one(known[name]);
  if (target.type === 'number' || target.type === 'integer') return draw.one([0, 1, 2, 3, 10, 1_000]);
  if (target.type === 'boolean') return draw.chance(0.5);
  if (target.type === 'object') return {};
  return target.example !== undefined && draw.chance(0.5)
    ? target.example
    : draw.one(['A', 'B', 'text', '1']);
}

export interface Known {
  schemas: Schemas;
  /** Values that exist or are well formed, by the name of a field or parameter. */
  known: Readonly<Record<string, readonly unknown[]>>;
}

/** Puts something hostile somewhere into a value, or takes something away. */
export function spoiled(value: unknown, draw: Draw): unknown {
  if (typeof value !== 'object' || value === null || draw.chance(0.1)) return draw.one(HOSTILE_VALUES);
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value)
    ? [...(value as unknown[])]
    : { ...value };
  const keys = Object.keys(copy);
  const fields = copy as Record<string, unknown>;
  if (keys.length === 0 || draw.chance(0.25)) {
    const field = draw.one(FOREIGN_FIELDS);
    const foreign = draw.chance(0.5) ? { isAdmin: true } : draw.one(HOSTILE_VALUES);
    Object.defineProperty(fields, field, {
      value: foreign,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return copy;
  }
  const key = draw.one(keys);
  if (draw.chance(0.15)) delete fields[key];
  else fields[key] = spoiled(fields[key], draw);
  return copy;
}

/** Bytes with some of them turned, cut, doubled or replaced. */
export function spoiledBytes(bytes: Buffer, draw: Draw): Buffer {
  const copy = Buffer.from(bytes);
  const at = draw.below(Math.max(copy.length, 1));
  switch (draw.below(5)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      return Buffer.concat([copy, copy.subarray(at)]);
    case 2:
      return Buffer.concat([copy.subarray(0, at), Buffer.from([0xff, 0xfe, 0x00]), copy.subarray(at)]);
    case 3:
      return Buffer.concat([copy.subarray(0, at), Buffer.from(draw.one(HOSTILE_TEXTS)), copy.subarray(at)]);
    default:
      if (copy.length > 0) copy[at]! ^= 1 << draw.below(8);
      return copy;
  }
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}
