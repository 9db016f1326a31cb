import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import type { CountsConfig } from '../config/counts.config';
import type { CountedState, Level } from '../inventory/level';

/** What was counted: `on_hand` is available and reserved, which is what stands on the shelf for sale. */
export const COUNTED_STATES = ['on_hand', 'available', 'quarantined', 'damaged'] as const;
export type CountState = (typeof COUNTED_STATES)[number];

/** One line of a snapshot. */
export interface CountLine {
  line: number;
  sku: string;
  /** Absent: the snapshot's own. */
  location?: string;
  state: CountState;
  units: number;
}

/** The lines of a file or request, or what is wrong with each, told by its line. */
export interface ReadLines {
  lines: CountLine[];
  faults: string[];
  /** Of a file whose rows say when they were counted; the first of them. */
  takenAt?: string;
}

const CODE = /^(?!\s)[^\p{Cc}\p{Cs}]{1,100}(?<!\s)$/u;
const MOST_UNITS = 1_000_000_000;
const MOST_LINES = 1_000_000;
const NAMED_FAULTS = 50;
const COLUMNS = ['sku', 'quantity', 'location', 'state', 'taken_at'];

/** `sku,quantity` and, where wanted, `location,state,taken_at`. */
export function readCountCsv(content: Buffer): ReadLines {
  if (!isUtf8(content)) return { lines: [], faults: ['it must be saved as CSV in UTF-8'] };
  let records: { record: Record<string, string>; info: { lines: number } }[];
  try {
    records = parse(content, {
      bom: true,
      columns: checkedHeader,
      skip_empty_lines: true,
      trim: true,
      info: true,
    });
  } catch (error) {
    return { lines: [], faults: [(error as Error).message] };
  }
  const rows = records.map(({ record, info }) => ({
    line: info.lines,
    sku: record.sku,
    quantity: /^\d{1,10}$/.test(record.quantity ?? '') ? Number(record.quantity) : record.quantity,
    location: record.location || undefined,
    state: record.state || undefined,
  }));
  const takenAt = records[0]?.record.taken_at;
  return { ...readCountRows(rows), ...(takenAt && { takenAt }) };
}

/** Rows as JSON has them: `{sku, quantity, location?, state?}`. Numbered from 1 unless they carry a line. */
export function readCountRows(rows: readonly unknown[]): ReadLines {
  const read: ReadLines = { lines: [], faults: [] };
  if (rows.length > MOST_LINES) return { ...read, faults: [`it has more than ${MOST_LINES} lines`] };
  const seen = new Map<string, number>();
  rows.forEach((row, index) => {
    const checked = checkedRow(row, index + 1);
    if (typeof checked === 'string') return addFault(read, checked);
    const { line, sku, location = '', state } = checked;
    const key = [sku, location, state].join('\n');
    const earlier = seen.get(key);
    if (earlier !== undefined)
      return addFault(read, `line ${line}: ${sku} is counted in line ${earlier} already`);
    seen.set(key, line);
    read.lines.push(checked);
  });
  return read;
}

function addFault({ faults }: ReadLines, fault: string): void {
  if (faults.length < NAMED_FAULTS) faults.push(fault);
}

function checkedRow(row: unknown, number: number): CountLine | string {
  const {
    line = number,
    sku,
    quantity,
    location,
    state = 'on_hand',
  } = (row ?? {}) as Record<string, unknown>;
  const at = `line ${line as number}`;
  if (typeof sku !== 'string' || !CODE.test(sku)) return `${at}: sku must be 1 to 100 printable characters`;
  if (!Number.isSafeInteger(quantity) || (quantity as number) < 0 || (quantity as number) > MOST_UNITS)
    return `${at}: quantity must be a whole number from 0 to ${MOST_UNITS}`;
  if (location !== undefined && (typeof location !== 'string' || !CODE.test(location)))
    return `${at}: location must be the code of a location`;
  if (!COUNTED_STATES.includes(state as CountState))
    return `${at}: state must be one of ${COUNTED_STATES.join(', ')}`;
  return {
    line: line as number,
    sku,
    units: quantity as number,
    state: state as CountState,
    ...(location !== undefined && { location: location }),
  };
}

function checkedHeader(header: string[]): string[] {
  const missing = ['sku', 'quantity'].filter((column) => !header.includes(column));
  if (missing.length === 0 && new Set(header).size === header.length) return header;
  throw new Error(`line 1: the header must be sku,quantity and, where wanted, ${COLUMNS.slice(2).join(',')}`);
}

/** What a level holds of what was counted. */
export function unitsOf(state: CountState, level: Level): number {
  return state === 'on_hand' ? level.available + level.reserved : level[state];
}

/** Promised units are not counted away: what is missing on the shelf is missing of what can be sold. */
export function adjustedState(state: CountState): CountedState {
  return state === 'on_hand' ? 'available' : state;
}

export type CountVerdict =
  { status: 'equal' | 'tolerated' | 'adjusted' } | { status: 'waiting'; note: string };

/** What becomes of a line that differs by so many units from what the ledger says. Pure. */
export function judgeCount(
  ledgerUnits: number,
  difference: number,
  tags: readonly string[],
  { toleranceUnits, tolerances, approveAboveUnits, approveAbovePercent }: CountsConfig,
): CountVerdict {
  const units = Math.abs(difference);
  if (units === 0) return { status: 'equal' };
  const own = tags.flatMap((tag) => (Object.hasOwn(tolerances, tag) ? tolerances[tag]! : []));
  // The default holds for SKUs whose tags say nothing.
  if (units <= (own.length > 0 ? Math.max(...own) : toleranceUnits)) return { status: 'tolerated' };
  const share = (Math.abs(ledgerUnits) * approveAbovePercent) / 100;
  if (units > approveAboveUnits && units > share) {
    return {
      status: 'waiting',
      note: `differs by ${units} units, more than ${approveAboveUnits} and more than ${approveAbovePercent} %`,
    };
  }
  return { status: 'adjusted' };
}
