import { validateSync } from 'class-validator';
import { BufferConfig, type BufferSettings, settingsOf } from './buffer.config';
import { isMapping, NumberWithin, Percent, readFieldKinds, WholeNumber } from './field-rules';
import type { KeyPath } from './key-path';
import { suggest } from './suggestion';

/** Withheld from one moment to another, a flash sale say, and released in steps after it. */
export class BufferWindow {
  /** ISO 8601 with its offset. */
  readonly from: string = '';
  readonly to: string = '';

  /** The larger of the two counts. */
  @WholeNumber(0, 1_000_000_000)
  readonly units: number = 0;

  @Percent()
  readonly percent: number = 0;

  @WholeNumber(1, 100)
  readonly releaseSteps: number = 1;

  @NumberWithin(1, 604_800)
  readonly releaseSeconds: number = 600;
}

/** What is withheld from a channel, a tag's SKUs, one SKU, or everything where none of these is named. */
export interface BufferPolicy {
  name: string;
  channel: string | null;
  tag: string | null;
  sku: string | null;
  /** Only the figures that it sets; the others are those of a less specific policy. */
  settings: Partial<BufferSettings>;
  /** Null where it sets none. */
  windows: BufferWindow[] | null;
}

export interface PolicyFault {
  path: KeyPath;
  expected: string;
  found?: unknown;
}

const NAME = /^[\w][\w .-]{0,62}$/;
const CODE = /^(?!\s)[^\p{Cc}\p{Cs}]{1,100}(?<!\s)$/u;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
const SCOPES = ['channel', 'tag', 'sku'] as const;
const SETTINGS = readFieldKinds(BufferConfig).keys;
const KEYS = ['name', ...SCOPES, 'windows', ...SETTINGS];
const WINDOW_KEYS = ['from', 'to', ...readFieldKinds(BufferWindow).keys];
const MOST_WINDOWS = 50;

/** A policy as a file or a request has it: its name and scope beside its figures. */
export function readPolicy(value: unknown): { policy: BufferPolicy } | { faults: PolicyFault[] } {
  if (!isMapping(value)) return { faults: [{ path: [], expected: 'a mapping of settings', found: value }] };
  const written = Object.fromEntries(
    SETTINGS.filter((key) => isSet(value[key])).map((key) => [key, value[key]]),
  );
  const windows = isSet(value.windows) ? value.windows : null;
  const faults = [
    ...unknownKeys(value, KEYS, []),
    ...scopeFaults(value),
    ...ruleFaults(new BufferConfig(), written, []),
    ...(windows === null ? [] : windowsFaults(windows)),
  ];
  if (faults.length > 0) return { faults };
  const { name, channel = null, tag = null, sku = null } = value as unknown as BufferPolicy;
  return {
    policy: {
      name,
      channel,
      tag,
      sku,
      settings: settingsOf(written),
      windows: (windows as object[] | null)?.map((each) => Object.assign(new BufferWindow(), each)) ?? null,
    },
  };
}

/** The policy as it would be written. */
export function writtenPolicy({ settings, windows, name, ...scope }: BufferPolicy): Record<string, unknown> {
  const scopes = SCOPES.flatMap((key) => (scope[key] === null ? [] : [[key, scope[key]]]));
  return { name, ...Object.fromEntries(scopes), ...settings, ...(windows && { windows }) };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function unknownKeys(value: Record<string, unknown>, known: readonly string[], at: KeyPath): PolicyFault[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = suggest(key, known);
      const expected =
        meant === undefined ? `one of the keys ${known.join(', ')}` : `a known key; did you mean ${meant}?`;
      return { path: [...at, key], expected };
    });
}

function scopeFaults({ name, ...scope }: Record<string, unknown>): PolicyFault[] {
  const faults: PolicyFault[] = [];
  if (typeof name !== 'string' || !NAME.test(name))
    faults.push({
      path: ['name'],
      expected: 'a name of 1 to 63 letters, digits, spaces, dots and dashes',
      found: name,
    });
  for (const key of SCOPES) {
    const found = scope[key];
    if (isSet(found) && (typeof found !== 'string' || !CODE.test(found)))
      faults.push({ path: [key], expected: 'a text of 1 to 100 characters', found });
  }
  if (isSet(scope.tag) && isSet(scope.sku))
    faults.push({ path: ['tag'], expected: 'nothing beside sku, which is more specific', found: scope.tag });
  return faults;
}

function ruleFaults(instance: object, written: Record<string, unknown>, at: KeyPath): PolicyFault[] {
  return validateSync(Object.assign(instance, written)).flatMap(({ property, constraints = {} }) =>
    Object.values(constraints)
      .slice(0, 1)
      .map((expected) => ({ path: [...at, property], expected, found: written[property] })),
  );
}

function windowsFaults(windows: unknown): PolicyFault[] {
  if (!Array.isArray(windows) || windows.length > MOST_WINDOWS)
    return [{ path: ['windows'], expected: `a list of at most ${MOST_WINDOWS} windows` }];
  return windows.flatMap((window: unknown, index) => {
    const at = ['windows', index];
    if (!isMapping(window)) return [{ path: at, expected: 'a mapping with from and to' }];
    const { from, to, ...written } = window;
    const faults = [...unknownKeys(window, WINDOW_KEYS, at), ...ruleFaults(new BufferWindow(), written, at)];
    for (const [key, found] of [
      ['from', from],
      ['to', to],
    ] as const)
      if (typeof found !== 'string' || !TIME.test(found) || Number.isNaN(Date.parse(found)))
        faults.push({
          path: [...at, key],
          expected: 'a time with its offset, such as 2026-11-27T08:00:00Z',
          found,
        });
    if (faults.length === 0 && Date.parse(from as string) >= Date.parse(to as string))
      faults.push({ path: [...at, 'to'], expected: 'a time after from', found: to });
    return faults;
  });
}
