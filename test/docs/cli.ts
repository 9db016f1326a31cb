import type { Command, Option } from 'commander';
import { onhandProgram } from '../../src/cli';
import { JsonOption } from '../../src/cli/options';
import { EXIT } from '../../src/cli/output';
import { HEADER, row, tableOf } from './markdown';

/** The reference of the command line, from the commands themselves. */
export function cliReference(): string {
  const program = onhandProgram();
  const leaves = leavesOf(program, []);
  return [
    '# Commands',
    HEADER('npm run docs:cli', 'the commands in `src/cli*.ts`'),
    INTRODUCTION,
    tableOf(
      ['command', ''],
      leaves.map(({ path, command }) => row(`[\`${path}\`](#${anchor(path)})`, command.description())),
    ),
    ...leaves.flatMap(({ path, command }) => describe(path, command)),
    '',
  ].join('\n');
}

const INTRODUCTION = `
\`onhand --help\` and \`onhand COMMAND --help\` tell the same. Answers go to standard output, everything else to standard
error. With \`--json\` the answer is JSON, in the shape that is shown with each command; \`…\` stands for more fields. Otherwise
it is text for people: tables fit the terminal, and there are no colours where it is none or \`NO_COLOR\` is set.
\`onhand completion bash|zsh|fish\` prints what completes commands in a shell.

Commands that talk to a running host take \`--url\` (\`ONHAND_URL\`) and \`--api-key\` (\`ONHAND_API_KEY\` or \`ONHAND_ADMIN_KEY\`).

| exit code | |
| --- | --- |
| 0 | all is well |
| ${EXIT.failed} | it failed, or a check found something |
| ${EXIT.usage} | the command line or the configuration is wrong |
| ${EXIT.interrupted} | interrupted |
`;

/** Said once, at the top. */
const EVERYWHERE = ['--url', '--api-key', '--json'];

function leavesOf(command: Command, path: string[]): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path: path.join(' '), command }];
  return command.commands.flatMap((sub) => leavesOf(sub, [...path, sub.name()]));
}

function describe(path: string, command: Command): string[] {
  const { options, registeredArguments } = command;
  const usage = registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const own = options.filter(({ long }) => !EVERYWHERE.includes(long ?? ''));
  const json = options.find((option): option is JsonOption => option instanceof JsonOption);
  const host = options.some(({ long }) => long === '--url') ? ' Asks a running host.' : '';
  const told = registeredArguments.filter(({ description }) => description !== '');
  return [
    `\n## ${path}\n`,
    `\`onhand ${[path, ...usage].join(' ')}\`: ${command.description()}.${host}`,
    ...(told.length + own.length > 0
      ? [
          '',
          tableOf(
            ['', ''],
            [
              ...told.map((argument) => row(`\`<${argument.name()}>\``, argument.description)),
              ...own.map((option) => row(`\`${option.flags}\``, optionText(option))),
            ],
          ),
        ]
      : []),
    ...(json === undefined ? [] : [`\n\`--json\`: \`${json.shape}\``]),
  ];
}

function optionText({ description, defaultValue, mandatory, argChoices, envVar }: Option): string {
  const notes = [
    ...(mandatory ? ['needed'] : []),
    ...(argChoices ? [`one of ${argChoices.join(', ')}`] : []),
    ...(defaultValue === undefined || Array.isArray(defaultValue)
      ? []
      : [`default ${JSON.stringify(defaultValue)}`]),
    ...(envVar === undefined ? [] : [envVar]),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

function anchor(path: string): string {
  return path.replaceAll(' ', '-');
}
