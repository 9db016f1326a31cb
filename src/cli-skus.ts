import type { Command } from 'commander';
import { hostOf, type JsonFlags, JsonOption, withHostOptions } from './cli-options';
import { action, tell } from './cli-output';
import { table } from './cli-table';

interface Sku {
  sku: string;
  name: string | null;
  barcode: string | null;
  unitOfMeasure: string;
  tags: string[];
}

interface SkuFlags extends JsonFlags {
  name?: string;
  barcode?: string;
  unit?: string;
  tag?: string[];
}

const SHAPE = '{sku, name, barcode, unitOfMeasure, tags}';

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
    .addOption(new JsonOption(SHAPE))
    .action(
      action(async (sku: string, { name, barcode, unit: unitOfMeasure, tag: tags, ...flags }: SkuFlags) => {
        const body = { sku, name, barcode, unitOfMeasure, tags };
        const made = await hostOf(flags).post<Sku>('/v1/skus', body, { repeatable: true });
        tell(flags, made, () => skusText([made]));
      }),
    );

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

function skusText(skus: readonly Sku[]): string {
  return table(skus, {
    sku: ({ sku }) => sku,
    name: ({ name }) => name,
    barcode: ({ barcode }) => barcode,
    unit: ({ unitOfMeasure }) => unitOfMeasure,
    tags: ({ tags }) => tags.join(' '),
  });
}
