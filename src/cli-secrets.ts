import type { Command } from 'commander';
import { type HostFlags, hostOf, withHostOptions } from './cli-options';
import { action, printAnswer, printJson } from './cli-output';

interface Place {
  channel: string;
  name: string;
}

type JsonFlags = HostFlags & { json?: boolean };

export function addSecretCommands(program: Command): void {
  const secrets = program
    .command('secrets')
    .description('what channels were given at run time, sealed with ONHAND_SECRET_KEYS');

  withHostOptions(secrets.command('list'))
    .description('list what is kept and which key sealed it, never what it says')
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const told = await hostOf(flags).get<{
          keys: string[];
          items: (Place & { keyId: string; changedAt: string })[];
        }>('/v1/secrets');
        if (flags.json) return printJson(told);
        const lines = told.items.map(
          ({ channel, name, keyId, changedAt }) =>
            `${channel}  ${name}  sealed with ${keyId}${told.keys.includes(keyId) ? '' : ' (no such key here)'}  since ${changedAt}`,
        );
        printAnswer([`Keys, the first one seals: ${told.keys.join(', ') || 'none'}`, ...lines].join('\n'));
      }),
    );

  withHostOptions(secrets.command('rotate'))
    .description('seal everything with the first key, so that the others can be taken away')
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const done = await hostOf(flags).post<{ key: string | null; resealed: number; unopened: Place[] }>(
          '/v1/secrets/rotate',
          {},
        );
        if (done.unopened.length > 0) process.exitCode = 1;
        if (flags.json) return printJson(done);
        printAnswer(`Sealed ${done.resealed} with the key ${done.key ?? '(none)'}.`);
        for (const { channel, name } of done.unopened)
          printAnswer(`${channel} ${name} opens with no key of ONHAND_SECRET_KEYS and was left as it is.`);
      }),
    );
}
