import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { OrderFileError } from './order-file.errors';
import { cleanText, FaultList, readRow, type Row } from './order-row';

/** A line of a document that moves stock. */
export interface DocumentLine {
  /** Place of the line in its document, from 0. */
  index: number;
  /** What it does: `ordered` lines leave with the order, `returned` ones come back, `corrected` ones were missing at a count. */
  kind: 'ordered' | 'returned' | 'corrected';
  /** Stock code as written; upper and lower case are different SKUs. */
  sku: string;
  /** Units moved, 1 or more, whatever the direction. */
  quantityUnits: number;
  /** Of corrections: why the units are gone. */
  reason?: string;
}

/** Everything the file says under one invoice number. */
export interface SalesDocument {
  number: string;
  /** Ms since 1970; the first of the file where an invoice has several dates. */
  occurredAtMs: number;
  lines: DocumentLine[];
}

export interface OrderFile {
  /** The file's name without its folder. */
  source: string;
  /** Names the file's content, so that a file replayed twice is known again. */
  digest: string;
  /** Data lines in the file. */
  lines: number;
  documents: SalesDocument[];
  /** Lines that move no stock, counted by code. */
  unusable: Record<string, number>;
  /** Every SKU that a document moves, with its name; '' where no priced line names it. */
  skus: Map<string, string>;
}

export const NO_REASON = 'no reason in the file';

/**
 * A stock code starts with five digits, or is a gift-shop code (`DCGS` and more). All others are charges:
 * POST, DOT and C2 (postage and carriage), M (manual), D (discount), S (samples), AMAZONFEE, BANK CHARGES.
 */
const STOCK_CODE = /^(?:\d{5}|DCGS\w)/;
const RETURN_DOCUMENT = /^C/i;
const LONGEST_NAME = 200;

/** Reads a file from disk. @throws OrderFileError when it is unreadable or malformed. */
export function readOrderFile(path: string): OrderFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new OrderFileError(path, [`expected a readable CSV file, found ${reason}`]);
  }
  return parseOrders(bytes, basename(path));
}

/** Documents in the order of the file. @throws OrderFileError naming every fault, up to a limit, by line. */
export function parseOrders(bytes: Buffer, source: string): OrderFile {
  const rows = parseRows(bytes, source);
  if (rows.length === 0) throw new OrderFileError(source, ['expected at least one line below the header']);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  return { source, digest, lines: rows.length, ...group(rows) };
}

function parseRows(bytes: Buffer, source: string): Row[] {
  const faults = new FaultList();
  let records: { record: Record<string, string>; info: { lines: number } }[];
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    records = parse(text, {
      columns: (header: string[]) => faults.checkHeader(header),
      info: true,
      skip_empty_lines: true,
    }) as unknown as typeof records;
  } catch (error) {
    throw new OrderFileError(source, faults.found.length > 0 ? faults.found : [parsingFault(error)]);
  }
  const rows = records.map(({ record, info }) => readRow(record, info.lines, faults));
  if (faults.found.length > 0) throw new OrderFileError(source, faults.found);
  return rows.filter((row) => row !== undefined);
}

function parsingFault(error: unknown): string {
  if (error instanceof CsvError) return `line ${String(error.lines ?? '?')}: ${error.message}`;
  return 'expected UTF-8; convert it, for example with `iconv -f latin1 -t utf-8`';
}

function group(rows: readonly Row[]): Pick<OrderFile, 'documents' | 'unusable' | 'skus'> {
  const documents = new Map<string, SalesDocument & { count: number }>();
  const unusable = new Map<string, number>();
  const skus = new Map<string, string>();
  for (const row of rows) {
    const known = documents.get(row.invoiceNo);
    const document = known ?? { number: row.invoiceNo, occurredAtMs: row.occurredAtMs, lines: [], count: 0 };
    if (!known) documents.set(row.invoiceNo, document);
    const line = lineOf(row, document.count);
    document.count += 1;
    if (line === undefined) {
      unusable.set(row.stockCode, (unusable.get(row.stockCode) ?? 0) + 1);
      continue;
    }
    document.lines.push(line);
    // What stands beside an unpriced line is a remark such as "damages", not the article's name.
    const name = row.unitPrice > 0 ? cleanText(row.description, LONGEST_NAME) : '';
    if (!skus.get(line.sku)) skus.set(line.sku, name);
  }
  return {
    documents: [...documents.values()].map(({ number, occurredAtMs, lines }) => ({
      number,
      occurredAtMs,
      lines,
    })),
    unusable: Object.fromEntries([...unusable].sort(([, a], [, b]) => b - a)),
    skus,
  };
}

/** Undefined for what moves no stock: charges, lines of zero units, and priced or returned lines of the wrong sign. */
function lineOf(row: Row, index: number): DocumentLine | undefined {
  const { stockCode: sku, quantity, unitPrice } = row;
  if (!STOCK_CODE.test(sku) || quantity === 0) return undefined;
  const quantityUnits = Math.abs(quantity);
  if (RETURN_DOCUMENT.test(row.invoiceNo)) {
    return quantity < 0 ? { index, kind: 'returned', sku, quantityUnits } : undefined;
  }
  if (quantity > 0) return { index, kind: 'ordered', sku, quantityUnits };
  if (unitPrice !== 0) return undefined;
  const reason = cleanText(row.description, LONGEST_NAME) || NO_REASON;
  return { index, kind: 'corrected', sku, quantityUnits, reason };
}
