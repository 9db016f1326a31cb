import { COLUMNS } from './order-row';
import { SeededRandom } from './random';
import * as shape from './retail-shape';
import { drawCatalogue, type SyntheticSku } from './synthetic-catalogue';

interface Line {
  code: string;
  name: string;
  /** Signed. */
  quantity: number;
  unitPrice: number;
}

interface Draft {
  atMs: number;
  prefix: '' | 'C';
  country: string;
  lines: Line[];
}

/** A Monday; any date in the past would do. */
const FIRST_DAY_MS = Date.UTC(2024, 11, 2);
const DAYS = 14;
const DAY_MS = 86_400_000;
const FIRST_NUMBER = 600_001;

/**
 * A fortnight of a shop that does not exist, as CSV text with the columns of the real file and, by
 * `retail-shape.ts`, its measured shape: about 1,280 documents and 28,000 lines over 2,600 SKUs. The same
 * seed draws the same text.
 */
export function drawOrders(seed: number): string {
  const random = new SeededRandom(seed, 'orders');
  const catalogue = drawCatalogue(random);
  const deck = new Deck(catalogue, random);
  const orders = [
    ...drawShopOrders(random, deck),
    ...drawSiteOrders(random, deck),
    ...drawGifts(random, deck),
  ];
  const drafts = [
    ...orders,
    ...drawReturns(random, orders, catalogue),
    ...drawCorrections(random, catalogue),
    ...drawChargeReturns(random),
  ];
  return toCsv(drafts.sort((a, b) => a.atMs - b.atMs));
}

/**
 * Deals SKUs so that each comes up as often as its measured popularity says. Drawing with weights would
 * leave a third of those with a single line out.
 */
class Deck {
  private cards: SyntheticSku[] = [];

  constructor(
    private readonly catalogue: readonly SyntheticSku[],
    private readonly random: SeededRandom,
  ) {}

  /** `count` SKUs, all different. */
  deal(count: number): SyntheticSku[] {
    const dealt = new Set<SyntheticSku>();
    const held: SyntheticSku[] = [];
    while (dealt.size < count) {
      const card = this.top();
      if (dealt.has(card)) held.push(card);
      else dealt.add(card);
    }
    this.cards.unshift(...held);
    return [...dealt];
  }

  private top(): SyntheticSku {
    if (this.cards.length === 0) {
      const cards = this.catalogue.flatMap((sku) => Array<SyntheticSku>(sku.lines).fill(sku));
      this.cards = this.random.shuffled(cards);
    }
    return this.cards.pop()!;
  }
}

function drawShopOrders(random: SeededRandom, deck: Deck): Draft[] {
  return random.drawAll(shape.LINES_PER_ORDER, shape.DOCUMENTS.orders).map((count) => {
    const { units } = shape.UNITS_BY_ORDER_SIZE.find(({ maxLines }) => count <= maxLines)!;
    const repeats = Array.from({ length: count - 1 }).filter(() => random.chance(shape.REPEATED_SKU)).length;
    const skus = deck.deal(count - repeats);
    const again = Array.from({ length: repeats }, () => random.pick(skus));
    const country = random.pickWeighted(shape.COUNTRIES);
    const lines = [...skus, ...again].map((sku) => stockLine(sku, random.draw(units)));
    return {
      atMs: moment(random, shape.ORDER_MINUTES),
      prefix: '',
      country,
      lines: [...lines, ...charges(random, country)],
    };
  });
}

function drawSiteOrders(random: SeededRandom, deck: Deck): Draft[] {
  return random.drawAll(shape.LINES_PER_SITE_ORDER, shape.DOCUMENTS.siteOrders).map((count) => {
    const lines = deck.deal(count).map((sku) => stockLine(sku, random.draw(shape.UNITS_PER_SITE_LINE)));
    const postage = { code: 'DOT', name: 'DOTCOM POSTAGE', quantity: 1, unitPrice: count / 2 };
    return {
      atMs: moment(random, shape.ORDER_MINUTES),
      prefix: '',
      country: shape.HOME_COUNTRY,
      lines: [...lines, postage],
    };
  });
}

function drawGifts(random: SeededRandom, deck: Deck): Draft[] {
  return random.drawAll(shape.UNITS_PER_GIFT, shape.DOCUMENTS.gifts).map((quantity) => {
    const lines = deck.deal(1).map(({ code }) => ({ code, name: '', quantity, unitPrice: 0 }));
    return { atMs: moment(random, shape.ORDER_MINUTES), prefix: '', country: shape.HOME_COUNTRY, lines };
  });
}

/** Most lines give back what an earlier order took, and never more than it did. */
function drawReturns(
  random: SeededRandom,
  orders: readonly Draft[],
  catalogue: readonly SyntheticSku[],
): Draft[] {
  const sold = orders.flatMap(({ atMs, lines }) => lines.filter(isStock).map((line) => ({ atMs, line })));
  sold.sort((a, b) => a.atMs - b.atMs);
  return random.drawAll(shape.LINES_PER_RETURN, shape.DOCUMENTS.returns).map((count) => {
    const atMs = moment(random, shape.RETURN_MINUTES);
    const before = sold.findIndex((sale) => sale.atMs >= atMs);
    const earlier = before < 0 ? sold.length : before;
    const lines = Array.from({ length: count }, () => {
      const quantity = random.draw(shape.UNITS_PER_RETURN);
      if (earlier === 0 || !random.chance(shape.RETURNED_AFTER_SALE))
        return stockLine(random.pick(catalogue), -quantity);
      const { line } = sold[Math.floor(random.next() * earlier)]!;
      return { ...line, quantity: -Math.min(quantity, line.quantity) };
    });
    return { atMs, prefix: 'C', country: shape.HOME_COUNTRY, lines };
  });
}

function drawCorrections(random: SeededRandom, catalogue: readonly SyntheticSku[]): Draft[] {
  return random.drawAll(shape.UNITS_PER_CORRECTION, shape.DOCUMENTS.corrections).map((units) => {
    const { code } = random.pick(catalogue);
    const name = random.pickWeighted(shape.CORRECTION_REASONS);
    const lines = [{ code, name, quantity: -units, unitPrice: 0 }];
    return { atMs: moment(random, shape.CORRECTION_MINUTES), prefix: '', country: shape.HOME_COUNTRY, lines };
  });
}

function drawChargeReturns(random: SeededRandom): Draft[] {
  return Object.entries(shape.CHARGES.returns).flatMap(([code, count]) =>
    Array.from({ length: count }, () => {
      const lines = [{ code, name: code, quantity: -1, unitPrice: 10 }];
      return {
        atMs: moment(random, shape.RETURN_MINUTES),
        prefix: 'C' as const,
        country: shape.HOME_COUNTRY,
        lines,
      };
    }),
  );
}

function charges(random: SeededRandom, country: string): Line[] {
  const { postageAbroad, manualPerOrder, carriagePerOrder } = shape.CHARGES;
  const isAbroad = country !== shape.HOME_COUNTRY;
  const line = (code: string, name: string): Line => ({ code, name, quantity: 1, unitPrice: 18 });
  return [
    ...(isAbroad && random.chance(postageAbroad) ? [line('POST', 'POSTAGE')] : []),
    ...(random.chance(manualPerOrder) ? [line('M', 'Manual')] : []),
    ...(random.chance(carriagePerOrder) ? [line('C2', 'CARRIAGE')] : []),
  ];
}

function stockLine({ code, name, unitPrice }: SyntheticSku, quantity: number): Line {
  return { code, name, quantity, unitPrice };
}

function isStock({ code, unitPrice }: Line): boolean {
  return /^\d{5}/.test(code) && unitPrice > 0;
}

/** A whole minute on one of the days, by how busy its weekday is. */
function moment(random: SeededRandom, minutes: typeof shape.ORDER_MINUTES): number {
  const days = Array.from({ length: DAYS }, (_, day) => FIRST_DAY_MS + day * DAY_MS);
  const weights = days.map((dayMs) => [String(dayMs), shape.WEEKDAY_WEIGHTS[new Date(dayMs).getUTCDay()]!]);
  return Number(random.pickWeighted(Object.fromEntries(weights))) + random.draw(minutes) * 60_000;
}

function toCsv(drafts: readonly Draft[]): string {
  const rows = drafts.flatMap(({ atMs, prefix, country, lines }, index) => {
    const number = `${prefix}${FIRST_NUMBER + index}`;
    const time = new Date(atMs).toISOString().replace('.000Z', 'Z');
    return lines.map(({ code, name, quantity, unitPrice }) =>
      [number, code, name, quantity, time, unitPrice, country].join(','),
    );
  });
  return [COLUMNS.join(','), ...rows, ''].join('\n');
}
