type Base = (part: number) => string;

const BASES: Base[] = [
  (part) => String(part),
  (part) => `0${part.toString(8)}`,
  (part) => `0x${part.toString(16)}`,
];
const ODD_BASES: Base[] = [
  (part) => `0000000${part.toString(8)}`,
  (part) => `0X${part.toString(16).toUpperCase().padStart(8, '0')}`,
];

/** The last part of a short form stands for all that is left: 127.1, 127.0.1, 2130706433. */
function partsOf(bytes: readonly number[]): number[][] {
  return [4, 3, 2, 1].map((count) => [
    ...bytes.slice(0, count - 1),
    bytes.slice(count - 1).reduce((sum, byte) => sum * 256 + byte, 0),
  ]);
}

function combined(parts: readonly number[], bases: readonly Base[]): string[][] {
  const [first, ...rest] = parts;
  if (first === undefined) return [[]];
  return bases.flatMap((base) => combined(rest, bases).map((others) => [base(first), ...others]));
}

const FULL_WIDTH = '０１２３４５６７８９';
const CIRCLED = '⓪①②③④⑤⑥⑦⑧⑨';
const digitsIn = (text: string, digits: string): string =>
  text.replace(/\d/g, (digit) => [...digits][Number(digit)] ?? '');

/** Every way of writing an IPv4 address in a URL that means the same to whoever follows the URL standard. */
export function spellingsOfIpv4(address: string): string[] {
  const bytes = address.split('.').map(Number);
  const numbers = partsOf(bytes).flatMap((parts) => combined(parts, BASES).map((each) => each.join('.')));
  const odd = partsOf(bytes).flatMap((parts) => ODD_BASES.map((base) => parts.map(base).join('.')));
  return [
    ...numbers,
    ...odd,
    `${address}.`,
    ...['。', '．', '｡', '%2e', '%2E', '%E3%80%82'].map((dot) => address.replaceAll('.', dot)),
    digitsIn(address, FULL_WIDTH),
    digitsIn(address, CIRCLED),
    encodeURIComponent(digitsIn(address, FULL_WIDTH)),
    [...address].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join(''),
    `\t${address}`,
    address.replace('.', '\n.'),
    address.replace('.', '\u00ad.'),
    address.replace('.', '\u200b.'),
  ];
}

/** Ways of writing `address` as IPv6, for ::1 and the like, and an IPv4 address mapped into it. */
export function spellingsOfIpv6(groups: readonly number[]): string[] {
  const plain = groups.map((group) => group.toString(16));
  const padded = groups.map((group) => group.toString(16).padStart(4, '0'));
  const [high = 0, low = 0] = groups.slice(6);
  const dotted = [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const short = plain
    .join(':')
    .replace(/^(?:0:)+|(?::0)+$/, '::')
    .replace(':::', '::');
  const forms = [plain.join(':'), padded.join(':'), [...plain.slice(0, 6), dotted].join(':'), short];
  const all = new Set([...forms, ...forms.map((form) => form.toUpperCase())]);
  return [...all].map((form) => `[${form}]`);
}
