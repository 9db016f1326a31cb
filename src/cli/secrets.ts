import type { Command } from 'commander';
import { hostOf, type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, EXIT, tell } from './output';
import { table } from './table';

interface Place {
  channel: string;
  name: string;
}

interface Kept {
  keys: string[];
  items: (Place & { keyId: string; changedAt: string })[];
}

interface Rotated {
  key: string | null;
  resealed: number;
  unopened: Place[];
}

export function addSecretCommands(program: Command): void {
  const secrets = program
    .command('secrets')
    .description('what channels were given at run time, sealed with ONHAND_SECRET_KEYS');

  withHostOptions(secrets.command('list'))
    .description('list what is kept and which key sealed it, never what it says')
    .addOption(new JsonOption('{keys, items: [{channel, name, keyId, changedAt}]}'))
    .action(
      action(async (flags: JsonFlags) => {
        const kept = await hostOf(flags).get<Kept>('/v1/secrets');
        tell(flags, kept, () => keptText(kept));
      }),
    );

  withHostOptions(secrets.command('rotate'))
    .description('seal everything with the first key, so that the others can be taken away')
    .addOption(new JsonOption('{key, resealed, unopened: [{channel, name}]}'))
    .action(
      action(async (flags: JsonFlags) => {
        const done = await hostOf(flags).post<Rotated>('/v1/secrets/rotate', {});
        if (done.unopened.length > 0) process.exitCode = EXIT.failed;
        tell(flags, done, () => rotatedText(done));
      }),
    );
}

function keptText({ keys, items }: Kept): string {
  const rows = table(items, {
    channel: ({ channel }) => channel,
    name: ({ name }) => name,
    'sealed with': ({ keyId }) => (keys.includes(keyId) ? keyId : `${keyId} (no such key here)`),
    since: ({ changedAt }) => changedAt,
  });
  return [
    `Keys, the first one seals: ${keys.join(', ') || 'none'}`,
    ...(items.length > 0 ? [rows] : []),
  ].join('\n');
}

function rotatedText({ key, resealed, unopened }: Rotated): string {
  return [
    `Sealed ${resealed} with the key ${key ?? '(none)'}.`,
    ...unopened.map(
      ({ channel, name }) =>
        `${channel} ${name} opens with no key of ONHAND_SECRET_KEYS and was left as it is.`,
    ),
  ].join('\n');
}
