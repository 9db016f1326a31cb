import { SeededRandom } from '../../src/replay/random';
import type { ShopTraits } from './shop';

/** Something that happens at a moment, as data: what is drawn from a seed, printed of a failure, and left out to shrink it. */
export type Act = { atMs: number } & (Deed | Fault);

/** What people, buyers and warehouses do. `nth` picks of those that are there by then, whatever their number. */
export type Deed =
  | { kind: 'sell'; shop: number; lines: { listing: number; units: number }[] }
  | {
      kind: 'edit';
      shop: number;
      nth: number;
      line: number;
      change: 'cancelled' | 'fulfilled' | 'returned';
      units: number;
    }
  | { kind: 'restock'; sku: number; location: number; units: number }
  | { kind: 'adjust'; sku: number; location: number; units: number }
  | { kind: 'reserve'; sku: number; units: number; ttlSeconds?: number }
  | { kind: 'change'; nth: number; to: 'confirm' | 'release' | 'fulfil' }
  | { kind: 'repeat'; nth: number; otherUnits?: number }
  | { kind: 'edit-shown'; shop: number; listing: number; units: number }
  | { kind: 'tick'; nth: number };

export type Fault =
  | { kind: 'crash'; host: number; awayMs: number }
  | { kind: 'freeze'; host: number; forMs: number }
  | { kind: 'cut'; host: number; nth: number }
  | { kind: 'clock-jump'; host: number; byMs: number }
  | { kind: 'redis-loss'; awayMs: number }
  | { kind: 'lose-answers'; shop: number; count: number }
  | { kind: 'swallow-answers'; shop: number; count: number }
  | { kind: 'down'; shop: number; forMs: number }
  | { kind: 'storm'; shop: number; forMs: number; retryAfterSeconds?: number }
  | { kind: 'slow'; shop: number; forMs: number; byMs: number }
  | { kind: 'page'; shop: number; count: number }
  | { kind: 'webhook-lost'; shop: number }
  | { kind: 'webhook-late'; shop: number; byMs: number }
  | { kind: 'webhook-twice'; shop: number; times: number }
  | { kind: 'poison'; shop: number };

export interface Plan {
  seed: number;
  skus: number;
  locations: number;
  /** By shop: what each of its listings consists of. */
  listings: { sku: number; units: number }[][][];
  shops: (ShopTraits & { bufferUnits: number; followsSales: boolean })[];
  openingUnits: number;
  durationMs: number;
  acts: Act[];
}

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
  crash: 2,
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
  'webhook-lost': 4,
  'webhook-late': 6,
  'webhook-twice': 5,
  poison: 2,
};
const DEEDS_PER_RUN = 14;
const FAULTS_PER_RUN = 20;
const DURATION_MS = 9_000;

export const FAULT_KINDS: readonly string[] = Object.keys(FAULTS);

/** All that a seed stands for. */
export function planOf(seed: number): Plan {
  const random = new SeededRandom(seed, 'plan');
  const whole = (from: number, to: number) => from + Math.floor(random.next() * (to - from + 1));
  const skus = whole(2, 4);
  const durationMs = DURATION_MS;
  const shops = Array.from({ length: 2 }, (_, index) => drawShop(random, index));
  const listings = shops.map(() => drawListings(random, skus));
  const acts: Act[] = [];
  for (let count = 0; count < DEEDS_PER_RUN; count++)
    acts.push({ atMs: whole(500, durationMs), ...drawDeed(random, { skus, listings }) });
  for (let count = 0; count < FAULTS_PER_RUN; count++)
    acts.push({ atMs: whole(500, durationMs), ...drawFault(random) });
  acts.sort((a, b) => a.atMs - b.atMs);
  return { seed, skus, locations: 2, listings, shops, openingUnits: whole(3, 12), durationMs, acts };
}

function drawShop(random: SeededRandom, index: number): Plan['shops'][number] {
  return {
    name: `shop-${index + 1}`,
    batchSize: random.pick([1, 2, 5]),
    answers: random.chance(0.7) ? 'applied' : 'accepted',
    compareAndSet: random.chance(0.3),
    cancels: random.chance(0.6),
    perSecond: random.pick([2, 5, 20]),
    burst: random.pick([2, 5, 10]),
    shortfall: random.pick(['hold', 'cancel', 'backorder'] as const),
    bufferUnits: random.chance(0.3) ? 1 : 0,
    followsSales: random.chance(0.2),
  };
}

/** Each SKU by itself, and now and then a pack or a bundle. */
function drawListings(random: SeededRandom, skus: number): { sku: number; units: number }[][] {
  const listings = Array.from({ length: skus }, (_, sku) => [{ sku, units: 1 }]);
  if (random.chance(0.5)) listings.push([{ sku: 0, units: 2 }]);
  if (random.chance(0.5))
    listings.push([
      { sku: 0, units: 1 },
      { sku: 1, units: 1 },
    ]);
  return listings;
}

function drawDeed(random: SeededRandom, { skus, listings }: Pick<Plan, 'skus' | 'listings'>): Deed {
  const whole = (from: number, to: number) => from + Math.floor(random.next() * (to - from + 1));
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

function drawFault(random: SeededRandom): Fault {
  const whole = (from: number, to: number) => from + Math.floor(random.next() * (to - from + 1));
  const [shop, host] = [whole(0, 1), whole(0, 1)];
  const kind = random.pickWeighted(FAULTS);
  switch (kind) {
    case 'crash':
      return { kind, host, awayMs: whole(100, 8_000) };
    case 'freeze':
      return { kind, host, forMs: random.pick([300, 3_000, 12_000, 35_000]) };
    case 'cut':
      return { kind, host, nth: whole(0, 99) };
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
      return { kind, shop };
    case 'webhook-late':
      return { kind, shop, byMs: random.pick([200, 2_000, 20_000, 70_000]) };
    case 'webhook-twice':
      return { kind, shop, times: whole(2, 4) };
    case 'poison':
      return { kind, shop };
  }
}
