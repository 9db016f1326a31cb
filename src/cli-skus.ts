import type { Command } from 'commander';
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
}
