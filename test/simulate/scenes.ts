import type { SeededRandom } from '../../src/replay/random';
import { type Catalogue, wholeBetween } from './draws';
import type { Aim, Moment } from './moments';
import type { Act } from './plan';

/** How often each scene is drawn, against the others. */
const SCENES = {
  'hold-ends': 3,
  'order-edited': 3,
  'pushed-by-two': 3,
  'one-sku': 2,
  unheard: 1,
  'answered-and-gone': 2,
};

/**
 * Acts that meet: what two sides do to one thing at the same time, and a host that stands still in the middle of it. Acts
 * that are drawn each by itself come too seldom within the few milliseconds that matter.
 */
export function drawScene(random: SeededRandom, atMs: number, catalogue: Catalogue): Act[] {
  switch (random.pickWeighted(SCENES)) {
    case 'hold-ends':
      return holdEnds(random, atMs, catalogue);
    case 'order-edited':
      return orderEdited(random, atMs, catalogue);
    case 'pushed-by-two':
      return pushedByTwo(random, atMs, catalogue);
    case 'one-sku':
      return oneSku(random, atMs, catalogue);
    case 'unheard':
      return unheard(random, atMs, catalogue);
    case 'answered-and-gone':
      return answeredAndGone(random, atMs, catalogue);
  }
}

function aimAt(random: SeededRandom, moments: readonly Moment[], most: number): Aim {
  return { moment: random.pick(moments), nth: wholeBetween(random)(1, most) };
}

/** A hold is confirmed just before it ends; whichever host does it stands still over it, and the other looks for what is due. */
function holdEnds(random: SeededRandom, atMs: number, { skus }: Catalogue): Act[] {
  const whole = wholeBetween(random);
  const ttlSeconds = whole(1, 3);
  const endsAtMs = atMs + ttlSeconds * 1000;
  const [forMs, at] = [random.pick([1_000, 3_000]), aimAt(random, ['lock'], 2)];
  const confirmedAtMs = endsAtMs - whole(0, 250);
  return [
    { atMs, kind: 'reserve', sku: whole(0, skus - 1), units: 1, ttlSeconds },
    ...[0, 1].map((host): Act => ({ atMs: confirmedAtMs, kind: 'freeze', host, forMs, at })),
    { atMs: confirmedAtMs, kind: 'change', nth: -1, to: 'confirm' },
    { atMs: endsAtMs + whole(0, 250), kind: 'wake', job: 'expire-holds' },
    { atMs: endsAtMs + whole(250, 700), kind: 'wake', job: 'expire-holds' },
  ];
}

/** An order is changed while a host that has heard of it stands still. */
function orderEdited(random: SeededRandom, atMs: number, { listings }: Catalogue): Act[] {
  const whole = wholeBetween(random);
  const [shop, host, forMs] = [whole(0, 1), whole(0, 1), random.pick([3_000, 12_000])];
  const change = random.pick(['cancelled', 'fulfilled'] as const);
  return [
    { atMs, kind: 'freeze', host, forMs, at: aimAt(random, ['lock', 'statement'], 5) },
    {
      atMs,
      kind: 'sell',
      shop,
      lines: [{ listing: whole(0, listings[shop]!.length - 1), units: whole(1, 2) }],
    },
    { atMs: atMs + whole(50, 1_500), kind: 'edit', shop, nth: -1, line: 0, change, units: 1 },
  ];
}

/** A host stands still over a push for longer than its claim on it lasts, and stock changes meanwhile. */
function pushedByTwo(random: SeededRandom, atMs: number, { skus }: Catalogue): Act[] {
  const whole = wholeBetween(random);
  const [sku, host] = [whole(0, skus - 1), whole(0, 1)];
  const restock = () => ({ kind: 'restock', sku, location: whole(0, 1), units: whole(1, 3) }) as const;
  return [
    { atMs, kind: 'freeze', host, forMs: 35_000, at: aimAt(random, ['commit', 'statement', 'call'], 5) },
    { atMs, ...restock() },
    { atMs: atMs + whole(20, 2_000), ...restock() },
  ];
}

/** Many change one SKU in the same instant, at both hosts. */
function oneSku(random: SeededRandom, atMs: number, { skus }: Catalogue): Act[] {
  const whole = wholeBetween(random);
  const sku = whole(0, skus - 1);
  const moved = () => ({ location: whole(0, 1), units: random.pick([1, 2]) });
  return Array.from({ length: whole(3, 5) }, (): Act => {
    const at = { atMs: atMs + whole(0, 2), sku };
    return random.chance(0.5)
      ? { ...at, kind: 'reserve', units: whole(1, 2) }
      : { ...at, kind: random.pick(['restock', 'adjust']), ...moved() };
  });
}

/** One order after the other of which no webhook tells. */
function unheard(random: SeededRandom, atMs: number, { listings }: Catalogue): Act[] {
  const whole = wholeBetween(random);
  const shop = whole(0, 1);
  const count = whole(3, 5);
  const sold = (): Act => ({
    atMs: atMs + whole(1, 500),
    kind: 'sell',
    shop,
    lines: [{ listing: whole(0, listings[shop]!.length - 1), units: 1 }],
  });
  return [{ atMs, kind: 'webhook-lost', shop, count }, ...Array.from({ length: count }, sold)];
}

/** A host ends right after it answered that it has taken what it was told. */
function answeredAndGone(random: SeededRandom, atMs: number, { skus, listings }: Catalogue): Act[] {
  const whole = wholeBetween(random);
  const [shop, host] = [whole(0, 1), whole(0, 1)];
  return [
    { atMs, kind: 'crash', host, awayMs: whole(100, 8_000), at: aimAt(random, ['answer'], 2) },
    { atMs, kind: 'sell', shop, lines: [{ listing: whole(0, listings[shop]!.length - 1), units: 1 }] },
    { atMs: atMs + whole(20, 300), kind: 'edit', shop, nth: -1, line: 0, change: 'fulfilled', units: 1 },
    {
      atMs: atMs + whole(100, 600),
      kind: 'adjust',
      sku: whole(0, skus - 1),
      location: whole(0, 1),
      units: 1,
    },
  ];
}
