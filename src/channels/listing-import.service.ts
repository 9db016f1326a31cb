import { Injectable } from '@nestjs/common';
import type { SavedListing } from './listing-drafts';
import { type RowFields, ListingRows } from './listing-rows';
import { ListingsService, type SaveOptions } from './listings.service';

/** What became of one row. A bundle has several rows, of which one that is wrong spoils the others. */
export interface RowResult {
  line: number;
  /** Empty where the row names none. */
  channelSku: string;
  /** `skipped`: good by itself, and left out because of others. */
  status: 'created' | 'changed' | 'unchanged' | 'refused' | 'skipped';
  /** Why it was refused or skipped. */
  reason?: string;
  /** Such as that a SKU is called something else now. */
  note?: string;
}

export interface ImportReport {
  /** False when nothing was written. */
  applied: boolean;
  counts: Record<RowResult['status'], number>;
  /** SKUs that were made for it. */
  createdSkus: string[];
  rows: RowResult[];
}

/** Names of the fields as JSON has them. */
const JSON_NAMES = {
  channelSku: 'channelSku',
  sku: 'sku',
  units: 'units',
  cap: 'cap',
  bufferUnits: 'bufferUnits',
  bufferPercent: 'bufferPercent',
};

/** The rows of a JSON list, which are numbered from 1. */
export function rowsOfList(list: readonly unknown[]): ListingRows {
  const rows = new ListingRows(JSON_NAMES);
  list.forEach((row, index) => {
    const isObject = typeof row === 'object' && row !== null && !Array.isArray(row);
    rows.add(index + 1, isObject ? (row as RowFields) : {});
  });
  return rows;
}

/** Imports listings row by row, and answers for each row what became of it. */
@Injectable()
export class ListingImportService {
  constructor(private readonly listings: ListingsService) {}

  /** Unless `partial`, one wrong row keeps all of them from being written. */
  async import(channel: string, rows: ListingRows, options: SaveOptions): Promise<ImportReport> {
    const { partial = false, dryRun = false } = options;
    const drafts = rows.drafts();
    const isSpoiled = rows.faults.size > 0 && !partial;
    const saved = await this.listings.save(channel, drafts, { ...options, dryRun: dryRun || isSpoiled });
    const byChannelSku = new Map(drafts.map(({ channelSku }, at) => [channelSku, saved.results[at]!]));
    const isWritten = partial || (!isSpoiled && saved.results.every(({ reason }) => reason === undefined));
    const results = rows.lines.map(({ line, channelSku }): RowResult => {
      const fault = rows.faults.get(line);
      if (fault !== undefined) return { line, channelSku, status: 'refused', reason: fault };
      return { line, channelSku, ...rowResultOf(channelSku, byChannelSku.get(channelSku), isWritten) };
    });
    const counts = { created: 0, changed: 0, unchanged: 0, refused: 0, skipped: 0 };
    for (const { status } of results) counts[status]++;
    return {
      applied: saved.applied,
      counts,
      createdSkus: isWritten ? saved.createdSkus : [],
      rows: results,
    };
  }
}

function rowResultOf(
  channelSku: string,
  saved: SavedListing | undefined,
  isWritten: boolean,
): Omit<RowResult, 'line' | 'channelSku'> {
  if (!saved) return { status: 'skipped', reason: `another row of ${channelSku} is refused` };
  const { status, reason, note } = saved;
  if (status === 'created' || status === 'changed' || status === 'unchanged')
    return { status: isWritten ? status : 'skipped', ...(note !== undefined && { note }) };
  return { status: 'refused', reason };
}
