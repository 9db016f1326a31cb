import { SeededRandom } from '../../src/replay/random';
import { drawDeed, drawFault, wholeBetween } from './draws';
import type { Aim } from './moments';
import { drawScene } from './scenes';
import type { ShopTraits } from './shop';

/** Something that happens at a moment, as data: what is drawn from a seed, printed of a failure, and left out to shrink it. */
export type Act = { atMs: number } & (Deed | Fault);

/** What people, buyers and warehouses do. `nth` picks of those that are there by then, whatever their number; -1 the newest. */
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
  | { kind: 'tick'; nth: number }
  | { kind: 'wake'; job: string };

/** With `at`, it waits until the host is in the middle of that. */
export type Fault =
  | { kind: 'crash'; host: number; awayMs: number; at?: Aim }
  | { kind: 'freeze'; host: number; forMs: number; at?: Aim }
  | { kind: 'cut'; host: number; nth: number; at?: Aim }
  | { kind: 'clock-jump'; host: number; byMs: number }
  | { kind: 'redis-loss'; awayMs: number }
  | { kind: 'lose-answers'; shop: number; count: number }
  | { kind: 'swallow-answers'; shop: number; count: number }
  | { kind: 'down'; shop: number; forMs: number }
  | { kind: 'storm'; shop: number; forMs: number; retryAfterSeconds?: number }
  | { kind: 'slow'; shop: number; forMs: number; byMs: number }
  | { kind: 'page'; shop: number; count: number }
  | { kind: 'webhook-lost'; shop: number; count: number }
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

const DEEDS_PER_RUN = 10;
const FAULTS_PER_RUN = 14;
const SCENES_PER_RUN = 3;
const DURATION_MS = 9_000;
/** Scenes begin before this, so that all of them has been seen when the faults end. */
const SCENES_UNTIL_MS = 5_000;

/** All that a seed stands for. */
export function planOf(seed: number): Plan {
  const random = new SeededRandom(seed, 'plan');
  const whole = wholeBetween(random);
  const skus = whole(2, 4);
  const durationMs = DURATION_MS;
  const shops = Array.from({ length: 2 }, (_, index) => drawShop(random, index));
  const listings = shops.map(() => drawListings(random, skus));
  const acts: Act[] = [];
  for (let count = 0; count < DEEDS_PER_RUN; count++)
    acts.push({ atMs: whole(500, durationMs), ...drawDeed(random, { skus, listings }) });
  for (let count = 0; count < FAULTS_PER_RUN; count++)
    acts.push({ atMs: whole(500, durationMs), ...drawFault(random) });
  for (let count = 0; count < SCENES_PER_RUN; count++)
    acts.push(...drawScene(random, whole(500, SCENES_UNTIL_MS), { skus, listings }));
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
    sendsWebhooks: random.chance(0.85),
    ordersPerPage: random.pick([1, 2, 3]),
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
