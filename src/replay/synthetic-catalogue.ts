import { SeededRandom, valueAt } from './random';
import { CATALOGUE, LINES_PER_SKU, UNIT_PRICES } from './retail-shape';

export interface SyntheticSku {
  code: string;
  name: string;
  unitPrice: number;
  /** Order lines that name it. */
  lines: number;
}

const COLOURS = [
  'RED',
  'BLUE',
  'CREAM',
  'IVORY',
  'PINK',
  'GREEN',
  'SILVER',
  'BLACK',
  'VINTAGE',
  'ANTIQUE',
  'RETRO',
];
const MATERIALS = [
  'ENAMEL',
  'GLASS',
  'WICKER',
  'PAPER',
  'WOODEN',
  'METAL',
  'CERAMIC',
  'KNITTED',
  'ZINC',
  'FELT',
];
const THINGS = [
  ...[
    'LANTERN',
    'MUG',
    'CAKE TIN',
    'T-LIGHT HOLDER',
    'HOT WATER BOTTLE',
    'DOORMAT',
    'NAPKINS',
    'NIGHT LIGHT',
  ],
  ...[
    'BUNTING',
    'COAT HANGER',
    'PICNIC BASKET',
    'LUNCH BAG',
    'ALARM CLOCK',
    'BIRD HOUSE',
    'CUTLERY SET',
    'FRAME',
  ],
];
const LETTERS = [...'ABCDEFGHKLMNPS'];

/** SKUs as the shop has them, the most popular first. */
export function drawCatalogue(random: SeededRandom): SyntheticSku[] {
  const codes = random.shuffled(drawCodes(random));
  return codes.map((code, rank) => ({
    code,
    name: `${random.pick(COLOURS)} ${random.pick(MATERIALS)} ${random.pick(THINGS)}`,
    unitPrice: Math.round(valueAt(UNIT_PRICES, random.next()) * 100) / 100,
    lines: Math.round(valueAt(LINES_PER_SKU, rank / (codes.length - 1))),
  }));
}

/** Five digits, some with a letter; a few once more with that letter in lower case, which is another SKU. */
function drawCodes(random: SeededRandom): string[] {
  const { skus, differingInCase, withLetter } = CATALOGUE;
  const codes = new Set<string>();
  while (codes.size < skus - differingInCase) {
    const digits = String(20_000 + Math.floor(random.next() * 70_000));
    codes.add(random.chance(withLetter) ? digits + random.pick(LETTERS) : digits);
  }
  const lettered = [...codes].filter((code) => code.length > 5);
  return [...codes, ...lettered.slice(0, differingInCase).map((code) => code.toLowerCase())];
}
