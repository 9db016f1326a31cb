import { stringify } from 'yaml';
import type { DraftChannel } from './init-channel';
import type { PluginOption } from './init-options';

/** What `onhand init` was told. */
export interface DraftConfig {
  publicUrl: string | null;
  /** Whether PostgreSQL is one of the operator's own, and Redis is used; both by variables. */
  database: 'embedded' | 'own';
  redis: boolean;
  channels: readonly DraftChannel[];
}

const WIDTH = 110;
const FEW = 8;

/** The text of an onhand.yaml: what was told, with comments, and everything else at its default. */
export function configText({ publicUrl, database, redis, channels }: DraftConfig): string {
  return [
    '# Written by `onhand init`. What is not here has its default: docs/configuration.md has every setting, and',
    '# `onhand config show` prints what is in force. ${NAME} is the environment variable NAME; .env.example has them all.',
    '',
    'server:',
    '  # How channels reach this host; they need it to send webhooks.',
    `  publicUrl: ${publicUrl ?? 'null # such as https://stock.example.com'}`,
    '',
    'database:',
    ...(database === 'embedded'
      ? [
          '  # PostgreSQL comes with the package and keeps its data in ./data; DATABASE_URL names one of your own.',
          '  url: null',
        ]
      : ['  url: ${DATABASE_URL}']),
    ...(redis ? ['', 'redis:', '  url: ${REDIS_URL}'] : []),
    '',
    '# Units withheld so that two channels do not sell the last one at once; see docs/buffers.md.',
    'buffers:',
    `  rule: ${channels.length > 1 ? 'base' : 'none # base withholds max(5 units, 5 %, expected sales); for several channels'}`,
    '',
    ...(channels.length === 0 ? ['channels: []'] : ['channels:', ...channels.flatMap(channelLines)]),
    '',
  ].join('\n');
}

/** The variables that the file names, for a person to fill in. */
export function environmentText({ database, redis, channels }: DraftConfig): string {
  return [
    '# Copy to .env, fill in, and keep it to yourself. Load it with: set -a; . ./.env; set +a',
    '',
    '# Signs in at the console; at least 16 characters: openssl rand -hex 24',
    'ONHAND_ADMIN_KEY=',
    ...(database === 'own' ? ['# Such as postgres://user:password@host:5432/onhand', 'DATABASE_URL='] : []),
    ...(redis ? ['# Such as redis://host:6379/0', 'REDIS_URL='] : []),
    ...channels.flatMap(({ name, variables }) =>
      variables.length === 0 ? [] : ['', `# Channel ${name}`, ...variables.map((variable) => `${variable}=`)],
    ),
    '',
  ].join('\n');
}

function channelLines({ name, plugin, options, values }: DraftChannel): string[] {
  return [
    `  - name: ${name}`,
    `    plugin: ${JSON.stringify(plugin)}`,
    '    # observe changes nothing outside; pilot pushes the SKUs with one of pilotTags; live pushes all.',
    '    mode: observe',
    `    # listings: ./${name}.csv # channel_sku,sku,units; or by \`onhand listings\``,
    '    options:',
    ...optionLines(options, values, 6),
  ];
}

/** What is set, under what its class says of it; what is not set stands commented out at its default. */
function optionLines(
  options: readonly PluginOption[],
  values: Record<string, unknown>,
  indent: number,
): string[] {
  return options.flatMap((option) => {
    const { name, about, options: inner, choices } = option;
    const value = values[name];
    const said = [about, choices.length > 0 ? `One of ${choices.join(', ')}.` : ''].filter(Boolean).join(' ');
    const comment = commentLines(said, indent);
    if (value === undefined) return [...comment, ...defaultLines(option, ' '.repeat(indent))];
    if (inner === null) return [...comment, `${' '.repeat(indent)}${name}: ${inline(value)}`];
    return [
      ...comment,
      `${' '.repeat(indent)}${name}:`,
      ...optionLines(inner, value as Record<string, unknown>, indent + 2),
    ];
  });
}

/** Options within are shown where they are few; otherwise they are named, for whoever wants to look them up. */
function defaultLines({ name, fallback, options }: PluginOption, space: string): string[] {
  if (options === null) return [`${space}# ${name}:${fallback === undefined ? '' : ` ${inline(fallback)}`}`];
  const names = options.map((option) => option.name);
  if (options.length > FEW || options.some((option) => option.options !== null))
    return [`${space}# ${name}: {} # has ${names.join(', ')}`];
  return [
    `${space}# ${name}:`,
    ...options.map((option) => defaultLines(option, '')[0]!.replace(/^# /, `${space}#   `)),
  ];
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, defaultStringType: 'PLAIN' }).trim();
}

function commentLines(text: string, indent: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && indent + 2 + last.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${' '.repeat(indent)}# ${line}`);
}
