import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { parse } from 'csv-parse/sync';
import { hostOf, type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, tell } from './output';
import { table } from './table';

interface Sku {
  sku: string;
  name: string | null;
  barcode: string | null;
  unitOfMeasure: string;
  tags: string[];
  reorderPoint: number | null;
}

interface SkuFlags extends JsonFlags {
  name?: string;
  barcode?: string;
  unit?: string;
  tag?: string[];
  reorderPoint?: number | null;
}

const SHAPE = '{sku, name, barcode, unitOfMeasure, tags, reorderPoint}';
/** As many as the API takes in one request. */
const AT_ONCE = 5_000;

export function addSkuCommands(program: Command): void {
  const skus = program.command('skus').description('look after SKUs');

  withHostOptions(skus.command('list'))
    .description('list SKUs')
    .option('--sku <code...>', 'these only')
    .addOption(new JsonOption(`[${SHAPE}]`))
    .action(
      action(async ({ sku, ...flags }: JsonFlags & { sku?: string[] }) => {
        const query = sku === undefined ? '' : `?${new URLSearchParams({ sku: sku.join(',') }).toString()}`;
        const found: Sku[] = [];
        for await (const one of hostOf(flags).items<Sku>(`/v1/skus${query}`)) found.push(one);
        tell(flags, found, () => (found.length === 0 ? 'No SKUs.' : skusText(found)));
      }),
    );

  withHostOptions(skus.command('set <sku>'))
    .description('make a SKU, or change what is known of it')
    .option('--name <text>', 'for people')
    .option('--barcode <code>', 'EAN, UPC or the like')
    .option('--unit <word>', 'unit of measure; each when never set')
    .option('--tag <tag...>', 'tags, in place of those it has')
    .option(
      '--reorder-point <units>',
      'with so many left an alert says to order it; none for never',
      parsePoint,
    )
    .addOption(new JsonOption(SHAPE))
    .action(action(setSku));

  withHostOptions(skus.command('import <file>'))
    .description('make or change SKUs from a CSV: sku, and any of name, barcode, tags, reorder_point')
    .addOption(new JsonOption('{skus, created}'))
    .action(action(importSkus));

  withHostOptions(skus.command('rename <old> <new>'))
    .description('give a SKU another code; its history, stock, orders and listings stay with it')
    .addOption(new JsonOption(SHAPE))
    .action(
      action(async (oldCode: string, newCode: string, flags: JsonFlags) => {
        const path = `/v1/skus/${encodeURIComponent(oldCode)}`;
        const renamed = await hostOf(flags).patch<Sku>(path, { sku: newCode });
        tell(flags, renamed, () => `${oldCode} is called ${renamed.sku} now; ${oldCode} goes on meaning it.`);
      }),
    );
}

async function setSku(
  sku: string,
  { name, barcode, unit, tag, reorderPoint, ...flags }: SkuFlags,
): Promise<void> {
  const body = { sku, name, barcode, unitOfMeasure: unit, tags: tag, reorderPoint };
  const made = await hostOf(flags).post<Sku>('/v1/skus', body, { repeatable: true });
  tell(flags, made, () => skusText([made]));
}

async function importSkus(file: string, flags: JsonFlags): Promise<void> {
  const drafts = readSkusFile(await readFile(file, 'utf8'));
  let created = 0;
  for (let from = 0; from < drafts.length; from += AT_ONCE) {
    const page = drafts.slice(from, from + AT_ONCE);
    const { items } = await hostOf(flags).post<{ items: { created: boolean }[] }>('/v1/skus', page, {
      repeatable: true,
    });
    created += items.filter((each) => each.created).length;
  }
  tell(flags, { skus: drafts.length, created }, () => `${drafts.length} SKUs read, ${created} of them new.`);
}

/** An empty field leaves what is known as it is; `none` takes a reorder point away. */
function readSkusFile(text: string): object[] {
  const rows: Record<string, string | undefined>[] = parse(text, {
    bom: true,
    columns: true,
    skip_empty_lines: true,
    trim: true,
  });
  return rows.map(({ sku, name, barcode, tags, reorder_point: point }) => ({
    sku,
    ...(name && { name }),
    ...(barcode && { barcode }),
    ...(tags && { tags: tags.split(/[\s;]+/) }),
    // Left to the API to refuse where it is no number of units.
    ...(point && { reorderPoint: /^none$/i.test(point) ? null : Number(point) }),
  }));
}

function parsePoint(text: string): number | null {
  if (/^none$/i.test(text)) return null;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of units, or none.');
}

function skusText(skus: readonly Sku[]): string {
  return table(skus, {
    sku: ({ sku }) => sku,
    name: ({ name }) => name,
    barcode: ({ barcode }) => barcode,
    unit: ({ unitOfMeasure }) => unitOfMeasure,
    'reorder at': ({ reorderPoint }) => reorderPoint,
    tags: ({ tags }) => tags.join(' '),
  });
}
