import type { SeededRandom } from '../../src/replay/random';
import type { Aim, Moment } from './moments';
import type { Deed, Fault, Plan } from './plan';

export type Catalogue = Pick<Plan, 'skus' | 'listings'>;

const DEEDS = {
  sell: 40,
  edit: 24,
  restock: 5,
  adjust: 4,
  reserve: 10,
  change: 9,
  repeat: 10,
  'edit-shown': 3,
  tick: 24,
};
const FAULTS = {
  crash: 3,
  freeze: 3,
  cut: 4,
  'clock-jump': 2,
  'redis-loss': 2,
  'lose-answers': 4,
  'swallow-answers': 2,
  down: 2,
  storm: 2,
  slow: 2,
  page: 2,
  'webhook-lost': 3,
  'webhook-late': 5,
  'webhook-twice': 4,
  poison: 2,
};
const NOT_AIMED = 0.3;

export const FAULT_KINDS: readonly string[] = Object.keys(FAULTS);

/** A whole number from one to the other, both of them among it. */
export function wholeBetween(random: SeededRandom): (from: number, to: number) => number {
  return (from, to) => from + Math.floor(random.next() * (to - from + 1));
}

export function drawDeed(random: SeededRandom, { skus, listings }: Catalogue): Deed {
  const whole = wholeBetween(random);
  const shop = whole(0, 1);
  const kind = random.pickWeighted(DEEDS);
  switch (kind) {
    case 'sell': {
      const line = () => ({ listing: whole(0, listings[shop]!.length - 1), units: whole(1, 2) });
      return { kind, shop, lines: random.chance(0.25) ? [line(), line()] : [line()] };
    }
    case 'edit':
      return {
        kind,
        shop,
        nth: whole(0, 99),
        line: whole(0, 1),
        change: random.pick(['cancelled', 'fulfilled', 'fulfilled', 'returned']),
        units: whole(1, 2),
      };
    case 'restock':
      return { kind, sku: whole(0, skus - 1), location: whole(0, 1), units: whole(1, 6) };
    case 'adjust':
      return { kind, sku: whole(0, skus - 1), location: whole(0, 1), units: random.pick([-2, -1, 1, 2]) };
    case 'reserve':
      return {
        kind,
        sku: whole(0, skus - 1),
        units: whole(1, 2),
        ...(random.chance(0.6) && { ttlSeconds: whole(1, 15) }),
      };
    case 'change':
      return { kind, nth: whole(0, 99), to: random.pick(['confirm', 'release', 'fulfil']) };
    case 'repeat':
      return { kind, nth: whole(0, 99), ...(random.chance(0.4) && { otherUnits: 7 }) };
    case 'edit-shown':
      return { kind, shop, listing: whole(0, listings[shop]!.length - 1), units: whole(0, 9) };
    case 'tick':
      return { kind, nth: whole(0, 999) };
  }
}

/** Once in a while at any moment, and most often at one that matters. */
function drawAim(random: SeededRandom, moments: readonly Moment[]): { at?: Aim } {
  if (random.chance(NOT_AIMED)) return {};
  return { at: { moment: random.pick(moments), nth: wholeBetween(random)(1, 6) } };
}

export function drawFault(random: SeededRandom): Fault {
  const whole = wholeBetween(random);
  const [shop, host] = [whole(0, 1), whole(0, 1)];
  const kind = random.pickWeighted(FAULTS);
  switch (kind) {
    case 'crash':
      return {
        kind,
        host,
        awayMs: whole(100, 8_000),
        ...drawAim(random, ['answer', 'commit', 'statement', 'call']),
      };
    case 'freeze':
      return {
        kind,
        host,
        forMs: random.pick([300, 3_000, 12_000, 35_000]),
        ...drawAim(random, ['lock', 'commit', 'statement', 'call']),
      };
    case 'cut':
      return { kind, host, nth: whole(0, 99), ...drawAim(random, ['commit', 'statement']) };
    case 'clock-jump':
      return { kind, host, byMs: random.pick([-600_000, -5_000, 5_000, 600_000]) };
    case 'redis-loss':
      return { kind, awayMs: whole(0, 5_000) };
    case 'lose-answers':
    case 'swallow-answers':
      return { kind, shop, count: whole(1, 3) };
    case 'down':
      return { kind, shop, forMs: whole(500, 15_000) };
    case 'storm':
      return {
        kind,
        shop,
        forMs: whole(500, 8_000),
        ...(random.chance(0.5) && { retryAfterSeconds: whole(1, 5) }),
      };
    case 'slow':
      return { kind, shop, forMs: whole(1_000, 10_000), byMs: random.pick([500, 4_000, 15_000]) };
    case 'page':
      return { kind, shop, count: whole(1, 2) };
    case 'webhook-lost':
      return { kind, shop, count: whole(1, 3) };
    case 'webhook-late':
      return { kind, shop, byMs: random.pick([200, 2_000, 20_000, 70_000]) };
    case 'webhook-twice':
      return { kind, shop, times: whole(2, 4) };
    case 'poison':
      return { kind, shop };
  }
}
