import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { parse as parseWhole } from 'csv-parse/sync';
import { ListingsFileError } from './channels.errors';
import { CSV_COLUMNS, type ListingDraft, type RowField, ListingRows } from './listing-rows';

const NEEDED = [CSV_COLUMNS.channelSku, CSV_COLUMNS.sku];
const FIELDS = Object.entries(CSV_COLUMNS) as [RowField, string][];
const HEADER = 'channel_sku,sku and, where wanted, units,cap,buffer_units,buffer_percent';
const NUMBERS = new Set<RowField>(['units', 'cap', 'bufferUnits', 'bufferPercent']);
const NUMBER = /^\d{1,15}(\.\d{1,15})?$/;
const SLICE_BYTES = 64 * 1024;

interface CsvRecord {
  record: Record<string, string>;
  info: { lines: number };
}

/**
 * Reads `channel_sku,sku,units,cap,buffer_units,buffer_percent`, of which the first two are needed. Rows that
 * share a `channel_sku` are one bundle, and an empty `units` is 1. Throws `ListingsFileError` with every fault
 * and its line.
 */
export function readListings(file: string): ListingDraft[] {
  const rows = new ListingRows(CSV_COLUMNS);
  try {
    const records = parseWhole(checkedUtf8(readFileSync(file), file), csvOptions(file));
    for (const each of records as unknown as CsvRecord[]) addRecord(rows, each);
  } catch (error) {
    throw listingsError(error, file);
  }
  if (rows.faults.size > 0)
    throw new ListingsFileError(
      file,
      [...rows.faults].map(([line, fault]) => `line ${line}: ${fault}`),
    );
  return rows.drafts().map(({ lines: _lines, ...draft }) => draft);
}

/** The rows of a CSV that somebody sent, read slice by slice so that other requests are answered in between. */
export async function readListingRows(content: Buffer): Promise<ListingRows> {
  const name = 'the body';
  const rows = new ListingRows(CSV_COLUMNS);
  try {
    const slices = Readable.from(slicesOf(checkedUtf8(content, name)));
    const parser = slices.pipe(parse(csvOptions(name)));
    for await (const each of parser) addRecord(rows, each as CsvRecord);
  } catch (error) {
    throw listingsError(error, name);
  }
  return rows;
}

function csvOptions(name: string) {
  return {
    bom: true,
    columns: (header: string[]) => checkedHeader(header, name),
    skip_empty_lines: true,
    trim: true,
    info: true,
  };
}

function addRecord(rows: ListingRows, { record, info }: CsvRecord): void {
  const fields: Partial<Record<RowField, unknown>> = {};
  for (const [field, column] of FIELDS) {
    const text = record[column];
    if (text === undefined || (text === '' && NUMBERS.has(field))) continue;
    // What is not written as a number stays text, and is refused as such.
    fields[field] = NUMBERS.has(field) && NUMBER.test(text) ? Number(text) : text;
  }
  rows.add(info.lines, fields);
}

/** Spreadsheets save other encodings; what is not UTF-8 would be replaced, and name a SKU that nobody has. */
function checkedUtf8(content: Buffer, name: string): Buffer {
  if (!isUtf8(content)) throw new ListingsFileError(name, ['it must be saved as CSV in UTF-8']);
  return content;
}

function* slicesOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += SLICE_BYTES) yield content.subarray(at, at + SLICE_BYTES);
}

function listingsError(error: unknown, name: string): ListingsFileError {
  return error instanceof ListingsFileError ? error : new ListingsFileError(name, [(error as Error).message]);
}

function checkedHeader(header: string[], name: string): string[] {
  const missing = NEEDED.filter((column) => !header.includes(column));
  const twice = FIELDS.flatMap(([, column]) =>
    header.indexOf(column) === header.lastIndexOf(column) ? [] : [column],
  );
  if (missing.length + twice.length === 0) return header;
  const wrong =
    missing.length > 0 ? `${missing.join(' and ')} is missing` : `${twice.join(' and ')} is there twice`;
  throw new ListingsFileError(name, [`line 1: the header must be ${HEADER}; ${wrong}`]);
}
