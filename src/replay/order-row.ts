/** One line of the file, read but not yet judged. */
export interface Row {
  invoiceNo: string;
  stockCode: string;
  description: string;
  /** Signed. */
  quantity: number;
  occurredAtMs: number;
  unitPrice: number;
}

/** The columns that a file must have; others, such as CustomerID, are not looked at. */
export const COLUMNS = [
  ...(['InvoiceNo', 'StockCode', 'Description', 'Quantity', 'InvoiceDate', 'UnitPrice', 'Country'] as const),
] as const;

const MOST_NAMED = 20;
const MAX_UNITS = 1_000_000_000;
/** Invoice numbers and codes become parts of idempotency keys, which hold 100 characters. */
const CODE = /^[^\p{Cc}\p{Cs}]{1,30}$/u;
const ISO_TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/;
/** As the set's CSV on its download page writes it: month/day/year and a time without seconds. */
const US_TIME = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d\d)$/;

/** Faults of a file. Counts them all and keeps the first, because a wrong column is wrong on every line. */
export class FaultList {
  private readonly kept: string[] = [];
  private count = 0;

  get found(): string[] {
    const more = this.count - this.kept.length;
    return more > 0 ? [...this.kept, `and ${more} more`] : this.kept;
  }

  add(line: number, column: string, expected: string, found: string): void {
    this.count += 1;
    if (this.kept.length >= MOST_NAMED) return;
    this.kept.push(
      `line ${line}, ${column}: expected ${expected}, found ${JSON.stringify(found.slice(0, 60))}`,
    );
  }

  /** The header with spaces around its names taken off. Throws when a column is missing. */
  checkHeader(header: readonly string[]): string[] {
    const names = header.map((name) => name.replace(/^\uFEFF/, '').trim());
    const missing = COLUMNS.filter((column) => !names.includes(column));
    if (missing.length > 0) {
      this.count += 1;
      this.kept.push(`line 1: the header lacks ${missing.join(', ')}; it must name ${COLUMNS.join(',')}`);
      throw new Error('the header is not usable');
    }
    return names;
  }
}

/** Undefined when the row has a fault, which is then in `faults`. */
export function readRow(
  record: Readonly<Record<string, string>>,
  line: number,
  faults: FaultList,
): Row | undefined {
  const cell = (column: (typeof COLUMNS)[number]) => (record[column] ?? '').trim();
  const [invoiceNo, stockCode, written] = [cell('InvoiceNo'), cell('StockCode'), cell('InvoiceDate')];
  const quantity = /^[+-]?\d{1,10}$/.test(cell('Quantity')) ? Number(cell('Quantity')) : NaN;
  const unitPrice = /^-?\d+(?:\.\d+)?$/.test(cell('UnitPrice')) ? Number(cell('UnitPrice')) : NaN;
  const occurredAtMs = readTime(written);
  const check = (isGood: boolean, column: (typeof COLUMNS)[number], expected: string) => {
    if (!isGood) faults.add(line, column, expected, cell(column));
    return isGood;
  };
  const checks = [
    check(CODE.test(invoiceNo), 'InvoiceNo', 'a number of 1 to 30 characters'),
    check(CODE.test(stockCode), 'StockCode', 'a code of 1 to 30 characters'),
    check(Math.abs(quantity) <= MAX_UNITS, 'Quantity', 'a whole number of units, such as 6 or -1'),
    check(
      !Number.isNaN(occurredAtMs),
      'InvoiceDate',
      'a time such as 2010-12-01T08:26:00Z or 12/1/2010 8:26',
    ),
    check(!Number.isNaN(unitPrice), 'UnitPrice', 'a price such as 2.55'),
  ];
  if (checks.includes(false)) return undefined;
  return { invoiceNo, stockCode, description: cell('Description'), quantity, occurredAtMs, unitPrice };
}

/** One line of printable text, no longer than the API takes. */
export function cleanText(text: string, longest: number): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\s]+/gu, ' ')
    .trim()
    .slice(0, longest)
    .trim();
}

/** Ms since 1970; NaN for what is no time. Times without a zone are taken for UTC. */
function readTime(text: string): number {
  const iso = ISO_TIME.exec(text);
  if (iso) {
    const [, year, month, day, hour, minute, second = '00', zone = 'Z'] = iso;
    return checkedTime(`${year}-${month}-${day}T${hour}:${minute}:${second}`, zone);
  }
  const [, month, day, year, hour, minute] = US_TIME.exec(text) ?? [];
  if (month === undefined) return NaN;
  const padded = [month, day, hour, minute].map((part) => part!.padStart(2, '0'));
  return checkedTime(`${year}-${padded[0]}-${padded[1]}T${padded[2]}:${padded[3]}:00`, 'Z');
}

/** Date.parse takes 30 February for 2 March; such a day is a mistake in the file. */
function checkedTime(local: string, zone: string): number {
  const asUtc = Date.parse(`${local}Z`);
  const isReal = !Number.isNaN(asUtc) && new Date(asUtc).toISOString().startsWith(local);
  return isReal ? Date.parse(`${local}${zone}`) : NaN;
}
