import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { hostOf, type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, printNews, tell } from './output';

interface Standing {
  consentUrl: string;
  given: boolean;
  endsAt: string | null;
}

export function addAuthorizeCommand(program: Command, input: Readable = process.stdin): void {
  withHostOptions(program.command('authorize <channel>'))
    .description('have the owner of a channel’s account consent, and hand in what came back')
    .addOption(new JsonOption('{given, endsAt}'))
    .addHelpText(
      'after',
      '\nThe answer is read from standard input, so that it stands in no process list and no history.',
    )
    .action(
      action(async (channel: string, flags: JsonFlags) => {
        const host = hostOf(flags);
        const path = `/v1/channels/${encodeURIComponent(channel)}/authorization`;
        const { consentUrl, ...before } = await host.get<Standing>(path);
        printNews(
          `${stateOf(channel, before)} Have the owner of the account open this and agree:\n\n  ${consentUrl}\n`,
        );
        printNews(
          'Then paste the address that the browser was sent to (within five minutes), and press Enter:',
        );
        const answer = await readLine(input);
        if (answer === '')
          throw Object.assign(new Error('nothing was pasted; nothing was changed'), { code: 'no-answer' });
        const { given, endsAt } = await host.post<Standing>(path, { answer });
        tell(flags, { given, endsAt }, () => stateOf(channel, { given, endsAt }));
      }),
    );
}

function stateOf(channel: string, { given, endsAt }: Omit<Standing, 'consentUrl'>): string {
  if (!given) return `Nobody has consented for ${channel} yet.`;
  return `${channel} is signed in to${endsAt === null ? '' : ` until ${endsAt.slice(0, 10)}`}.`;
}

async function readLine(input: Readable): Promise<string> {
  const lines = createInterface({ input });
  try {
    for await (const line of lines) if (line.trim() !== '') return line.trim();
    return '';
  } finally {
    lines.close();
  }
}
