import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { ListingsFileError } from './channels.errors';

/** A channel's SKU and what it consists of. */
export interface ListingDraft {
  channelSku: string;
  /** Our SKU codes with units of each; more than one makes a bundle. */
  components: { sku: string; units: number }[];
}

const COLUMNS = ['channel_sku', 'sku', 'units'];
const CODE = /^(?!\s)[^\p{Cc}]{1,100}(?<!\s)$/u;
const MAX_UNITS = 1_000_000;

/**
 * Reads `channel_sku,sku,units`; rows that share a `channel_sku` are one bundle, and an empty `units` is 1.
 * Throws `ListingsFileError` with every fault and its line.
 */
export function readListings(file: string): ListingDraft[] {
  const faults: string[] = [];
  const listings = new Map<string, ListingDraft>();
  for (const { record, line } of recordsOf(file)) {
    const { channel_sku: channelSku = '', sku = '', units: written = '' } = record;
    const units = written === '' ? 1 : Number(written);
    if (!CODE.test(channelSku))
      faults.push(`line ${line}: channel_sku must be 1 to 100 printable characters`);
    else if (!CODE.test(sku)) faults.push(`line ${line}: sku must be 1 to 100 printable characters`);
    else if (!Number.isInteger(units) || units < 1 || units > MAX_UNITS) {
      faults.push(`line ${line}: units must be a whole number from 1 to ${MAX_UNITS}`);
    } else {
      const listing = listings.get(channelSku) ?? { channelSku, components: [] };
      if (listing.components.some((each) => each.sku === sku))
        faults.push(`line ${line}: ${channelSku} names ${sku} twice`);
      listing.components.push({ sku, units });
      listings.set(channelSku, listing);
    }
  }
  if (faults.length > 0) throw new ListingsFileError(file, faults);
  return [...listings.values()];
}

function recordsOf(file: string): { record: Record<string, string>; line: number }[] {
  try {
    const content = readFileSync(file);
    // Spreadsheets save other encodings; what is not UTF-8 would be replaced, and name a SKU that nobody has.
    if (!isUtf8(content)) throw new ListingsFileError(file, ['it must be saved as CSV in UTF-8']);
    const rows = parse(content, {
      bom: true,
      columns: (header: string[]) => checkedHeader(header, file),
      skip_empty_lines: true,
      trim: true,
      info: true,
    }) as unknown as { record: Record<string, string>; info: { lines: number } }[];
    return rows.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (error instanceof ListingsFileError) throw error;
    throw new ListingsFileError(file, [(error as Error).message]);
  }
}

function checkedHeader(header: string[], file: string): string[] {
  const missing = COLUMNS.slice(0, 2).filter((column) => !header.includes(column));
  if (missing.length > 0) {
    throw new ListingsFileError(file, [
      `line 1: the header must be ${COLUMNS.join(',')}; ${missing.join(' and ')} is missing`,
    ]);
  }
  return header;
}
