import { type Command, Option } from 'commander';
import { SCOPES } from '../access/scopes';
import { hostOf, type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, printAnswer, printJson, printNews, tell } from './output';
import { table } from './table';

interface ApiKey {
  id: string;
  name: string;
  scopes: string[];
  createdAt: string;
  revokedAt: string | null;
}

export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('make, list and revoke API keys');

  withHostOptions(keys.command('create <name>'))
    .description('make an API key; it is printed once and stored nowhere')
    .addOption(new Option('--scope <scope...>', 'what the key may do').choices(SCOPES).makeOptionMandatory())
    .addOption(new JsonOption('{id, name, scopes, key}'))
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
    .addOption(new JsonOption('[{id, name, scopes, createdAt, revokedAt}]'))
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: ApiKey[] }>('/v1/keys');
        tell(flags, items, () => (items.length === 0 ? NO_KEYS : keysText(items)));
      }),
    );

  withHostOptions(keys.command('revoke <id>'))
    .description('revoke an API key for good')
    .addOption(new JsonOption('{id, revoked}'))
    .action(
      action(async (id: string, flags: JsonFlags) => {
        await hostOf(flags).delete(`/v1/keys/${encodeURIComponent(id)}`);
        tell(flags, { id, revoked: true }, () => `Revoked ${id}.`);
      }),
    );
}

const NO_KEYS = 'No keys yet; `onhand keys create` makes one.';

function keysText(keys: readonly ApiKey[]): string {
  return table(keys, {
    id: ({ id }) => id,
    name: ({ name }) => name,
    scopes: ({ scopes }) => scopes.join(' '),
    made: ({ createdAt }) => createdAt,
    revoked: ({ revokedAt }) => revokedAt,
  });
}
