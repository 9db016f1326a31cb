import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'csv-parse/sync';
import { type HostFlags, hostOf, withHostOptions } from './cli-options';
import { action, printAnswer, printJson } from './cli-output';

export function addSkuCommands(program: Command): void {
  const skus = program.command('skus').description('look after SKUs');

  withHostOptions(skus.command('rename <old> <new>'))
    .description('give a SKU another code; its history, stock, orders and listings stay with it')
    .option('--json', 'print JSON')
    .action(
      action(async (oldCode: string, newCode: string, flags: HostFlags & { json?: boolean }) => {
        const path = `/v1/skus/${encodeURIComponent(oldCode)}`;
        const renamed = await hostOf(flags).patch<{ sku: string }>(path, { sku: newCode });
        if (flags.json) printJson(renamed);
        else printAnswer(`${oldCode} is called ${renamed.sku} now; ${oldCode} goes on meaning it.`);
      }),
    );

  withHostOptions(skus.command('set <sku>'))
    .description('change a SKU')
    .requiredOption(
      '--reorder-point <units>',
      'with so many left, or fewer, an alert says to order it; none for never',
    )
    .option('--json', 'print JSON')
    .action(
      action(async (code: string, { reorderPoint, ...flags }: ReorderFlags) => {
        const path = `/v1/skus/${encodeURIComponent(code)}`;
        const changed = await hostOf(flags).patch<Sku>(path, { reorderPoint: unitsOf(reorderPoint) });
        if (flags.json) printJson(changed);
        else printAnswer(reorderText(changed));
      }),
    );

  withHostOptions(skus.command('import <file>'))
    .description(
      'create or change SKUs from a CSV with the column sku, and any of name, barcode, reorder_point',
    )
    .option('--json', 'print JSON')
    .action(
      action(async (file: string, flags: HostFlags & { json?: boolean }) => {
        const drafts = readSkusFile(await readFile(file, 'utf8'));
        let created = 0;
        for (let from = 0; from < drafts.length; from += AT_ONCE) {
          const page = drafts.slice(from, from + AT_ONCE);
          const { items } = await hostOf(flags).post<{ items: Sku[] }>('/v1/skus', page, {
            repeatable: true,
          });
          created += items.filter((each) => each.created).length;
        }
        const counts = { skus: drafts.length, created };
        if (flags.json) printJson(counts);
        else printAnswer(`${drafts.length} SKUs read, ${created} of them new.`);
      }),
    );
}

interface Sku {
  sku: string;
  reorderPoint: number | null;
  created?: boolean;
}

interface ReorderFlags extends HostFlags {
  reorderPoint: string;
  json?: boolean;
}

/** As many as the API takes in one request. */
const AT_ONCE = 5_000;

function reorderText({ sku, reorderPoint }: Sku): string {
  return reorderPoint === null
    ? `${sku} has no reorder point.`
    : `${sku} is to be ordered again with ${reorderPoint} left.`;
}

/** Left to the API to refuse where it is no number of units. */
function unitsOf(text: string): number | string | null {
  if (/^(none|)$/i.test(text.trim())) return null;
  return /^\d+$/.test(text.trim()) ? Number(text) : text;
}

function readSkusFile(text: string): object[] {
  const rows = parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true }) as Record<
    string,
    string
  >[];
  return rows.map(({ sku, name, barcode, reorder_point: reorderPoint }) => ({
    sku,
    ...(name && { name }),
    ...(barcode && { barcode }),
    ...(reorderPoint !== undefined && { reorderPoint: unitsOf(reorderPoint) }),
  }));
}
