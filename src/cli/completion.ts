import { Argument, type Command } from 'commander';
import { action, printAnswer } from './output';

/** What a shell has to know of one command, read from the command itself. */
interface Completed {
  /** Such as `keys create`; empty for the program. */
  at: string;
  commands: { name: string; about: string }[];
  options: { flag: string; about: string; value: 'none' | 'file' | 'any'; choices: readonly string[] }[];
  /** Whether it takes the path of a file. */
  takesFile: boolean;
}

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const HELP = `
Put it where your shell looks for such, or into its start-up file:

  bash   source <(onhand completion bash)      in ~/.bashrc
  zsh    source <(onhand completion zsh)       in ~/.zshrc, after compinit
  fish   onhand completion fish | source       in ~/.config/fish/config.fish`;

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print the script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'of which shell').choices(SHELLS))
    .addHelpText('after', HELP)
    .action(
      action((shell: (typeof SHELLS)[number]) => {
        printAnswer(SCRIPTS[shell](completedOf(program)));
        return Promise.resolve();
      }),
    );
}

function completedOf(command: Command, at = ''): Completed[] {
  const subcommands = command.commands.map((sub) => ({ name: sub.name(), about: sub.description(), sub }));
  const options = command.options.map(({ long, short, description, required, optional, argChoices }) => ({
    flag: long ?? short ?? '',
    about: description,
    value:
      !required && !optional
        ? ('none' as const)
        : isFile(command, long)
          ? ('file' as const)
          : ('any' as const),
    choices: argChoices ?? [],
  }));
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  const own: Completed = {
    at,
    commands: [...subcommands, ...choices.map((name) => ({ name, about: '' }))].map(({ name, about }) => ({
      name,
      about,
    })),
    options: [...options, { flag: '--help', about: 'display help', value: 'none', choices: [] }],
    takesFile: command.registeredArguments.some((argument) => argument.name() === 'file'),
  };
  return [own, ...subcommands.flatMap(({ name, sub }) => completedOf(sub, `${at} ${name}`.trim()))];
}

function isFile(command: Command, long: string | undefined): boolean {
  const flags = command.options.find((option) => option.long === long)?.flags ?? '';
  return flags.includes('<file>');
}

/** Words of a case in any of the shells; none of ours holds a quote. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const SCRIPTS: Record<(typeof SHELLS)[number], (all: readonly Completed[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The words are cut here and not by bash, which takes a colon for the end of one (`stock:read`). */
function bashScript(all: readonly Completed[]): string {
  const known = all.filter(({ at }) => at !== '').map(({ at }) => quoted(at));
  const values = all.flatMap(({ at, options }) =>
    options.flatMap(({ flag, value, choices }) => {
      if (value === 'none') return [];
      const reply = choices.length > 0 ? `compgen -W ${quoted(choices.join(' '))}` : `compgen -f`;
      if (choices.length === 0 && value === 'any') return [`    ${quoted(`${at} ${flag}`)}) return ;;`];
      return [`    ${quoted(`${at} ${flag}`)}) COMPREPLY=($(${reply} -- "$current")) ;;`];
    }),
  );
  const words = all.map(({ at, commands, options, takesFile }) => {
    const offered = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)].join(' ');
    const files = takesFile ? ' $(compgen -f -- "$current")' : '';
    return `      ${quoted(at)}) COMPREPLY=($(compgen -W ${quoted(offered)} -- "$current")${files}) ;;`;
  });
  return `# bash completion for onhand; made by \`onhand completion bash\`
_onhand() {
  local line="\${COMP_LINE:0:COMP_POINT}" current="" previous="" at="" word
  local -a typed
  COMPREPLY=()
  read -ra typed <<< "$line"
  [[ "$line" == *[[:space:]] ]] || { current="\${typed[-1]}"; unset "typed[-1]"; }
  for word in "\${typed[@]:1}"; do
    case "\${at:+$at }$word" in
      ${known.join('|')}) at="\${at:+$at }$word" ;;
    esac
    previous="$word"
  done
  case "$at $previous" in
${values.join('\n')}
    *)
    case "$at" in
${words.join('\n')}
    esac ;;
  esac
  # What bash has of the word begins behind its last colon.
  if [[ "$current" == *:* ]]; then
    local before="\${current%"\${current##*:}"}"
    COMPREPLY=("\${COMPREPLY[@]#"$before"}")
  fi
}
complete -o filenames -F _onhand onhand
`;
}

function zshScript(all: readonly Completed[]): string {
  const described = (name: string, about: string) =>
    quoted(`${name.replaceAll(':', '\\:')}:${about.split('\n')[0]!}`);
  const known = all.filter(({ at }) => at !== '').map(({ at }) => quoted(at));
  const values = all.flatMap(({ at, options }) =>
    options.flatMap(({ flag, value, choices }) => {
      if (value === 'none') return [];
      const reply =
        choices.length > 0
          ? `compadd -- ${choices.map(quoted).join(' ')}`
          : value === 'file'
            ? '_files'
            : ':';
      return [`    ${quoted(`${at} ${flag}`)}) ${reply}; return ;;`];
    }),
  );
  const words = all.map(({ at, commands, options, takesFile }) => {
    const offered = [
      ...commands.map(({ name, about }) => described(name, about)),
      ...options.map(({ flag, about }) => described(flag, about)),
    ];
    return `    ${quoted(at)}) offered=(${offered.join(' ')})${takesFile ? '; _files' : ''} ;;`;
  });
  return `#compdef onhand
# zsh completion for onhand; made by \`onhand completion zsh\`
_onhand() {
  local at="" word
  local -a offered
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
      ${known.join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${words.join('\n')}
  esac
  _describe 'onhand' offered
}
compdef _onhand onhand
`;
}

function fishScript(all: readonly Completed[]): string {
  const known = all.filter(({ at }) => at !== '').map(({ at }) => quoted(at));
  const rules = all.flatMap(({ at, commands, options, takesFile }) => {
    const rule = `complete -c onhand -n ${quoted(`__onhand_is "${at}"`)}`;
    return [
      ...(takesFile ? [`${rule} -F`] : []),
      ...commands.map(({ name, about }) => `${rule} -a ${quoted(name)} -d ${quoted(about)}`),
      ...options.map(({ flag, about, value, choices }) => {
        const takes =
          choices.length > 0
            ? ` -x -a ${quoted(choices.join(' '))}`
            : { none: '', any: ' -x', file: ' -r -F' }[value];
        return `${rule} -l ${flag.replace(/^-+/, '')}${takes} -d ${quoted(about)}`;
      }),
    ];
  });
  return `# fish completion for onhand; made by \`onhand completion fish\`
function __onhand_is
  set -l at
  for word in (commandline -opc)[2..]
    switch (string join ' ' $at $word)
      case ${known.join(' ')}
        set -a at $word
    end
  end
  test (string join ' ' $at) = "$argv[1]"
end
complete -c onhand -f
${rules.join('\n')}
`;
}
