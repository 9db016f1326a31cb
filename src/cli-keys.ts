import { type Command, Option } from 'commander';
import { SCOPES } from './access/scopes';
import { type HostFlags, hostOf, withHostOptions } from './cli-options';
import { action, printAnswer, printJson, printNews } from './cli-output';

interface ApiKey {
  id: string;
  name: string;
  scopes: string[];
  createdAt: string;
  revokedAt: string | null;
}

type JsonFlags = HostFlags & { json?: boolean };

export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('make, list and revoke API keys');

  withHostOptions(keys.command('create <name>'))
    .description('make an API key; it is printed once and stored nowhere')
    .addOption(new Option('--scope <scope...>', 'what the key may do').choices(SCOPES).makeOptionMandatory())
    .option('--json', 'print JSON')
    .action(
      action(async (name: string, flags: JsonFlags & { scope: string[] }) => {
        const created = await hostOf(flags).post<{ id: string; key: string }>('/v1/keys', {
          name,
          scopes: flags.scope,
        });
        if (flags.json) {
          printJson(created);
          return;
        }
        // The key alone on standard output, so that it can go straight into a secret store.
        printNews(`Made key ${created.id} (${flags.scope.join(', ')}). It is shown this once:\n`);
        printAnswer(created.key);
      }),
    );

  withHostOptions(keys.command('list'))
    .description('list API keys, without the keys themselves')
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: ApiKey[] }>('/v1/keys');
        if (flags.json) printJson(items);
        else
          printAnswer(
            items.length === 0
              ? 'No keys yet; `onhand keys create` makes one.'
              : items.map(keyLine).join('\n'),
          );
      }),
    );

  withHostOptions(keys.command('revoke <id>'))
    .description('revoke an API key for good')
    .action(
      action(async (id: string, flags: HostFlags) => {
        await hostOf(flags).delete(`/v1/keys/${encodeURIComponent(id)}`);
        printAnswer(`Revoked ${id}.`);
      }),
    );
}

function keyLine({ id, name, scopes, createdAt, revokedAt }: ApiKey): string {
  const state = revokedAt === null ? `since ${createdAt}` : `revoked ${revokedAt}`;
  return `${id}  ${name}  [${scopes.join(' ')}]  ${state}`;
}
