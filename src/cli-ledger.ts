import type { Command } from 'commander';
import { withHostOptions } from './cli-options';
import { action, printAnswer, printJson } from './cli-output';
import { follow, type JsonFlags } from './cli-tasks';

interface Verification {
  ok: boolean;
  events: number;
  levels: number;
  reservations: number;
  listings: number;
  violationCount: number;
  violations: { invariant: string; message: string }[];
}

interface Rebuilt {
  events: number;
  levels: number;
  corrected: number;
  added: number;
  removed: number;
  lockedMs: number;
}

export function addLedgerCommands(program: Command): void {
  withHostOptions(program.command('verify'))
    .description(
      'check that levels, events, reservations, orders and pushes explain each other; changes nothing',
    )
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const result = await follow<Verification>(flags, '/v1/ledger/verify');
        if (flags.json) printJson(result);
        else printAnswer(verificationText(result));
        if (!result.ok) process.exitCode = 1;
      }),
    );

  withHostOptions(program.command('rebuild'))
    .description('make the levels anew from the ledger')
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const result = await follow<Rebuilt>(flags, '/v1/ledger/rebuild');
        if (flags.json) printJson(result);
        else printAnswer(rebuiltText(result));
      }),
    );
}

function rebuiltText({ events, levels, corrected, added, removed, lockedMs }: Rebuilt): string {
  const changed = `${corrected} were put right, ${added} added, ${removed} taken away`;
  return `Made ${levels} levels from ${events} events: ${changed}. Writers waited ${lockedMs} ms.`;
}

function verificationText({
  ok,
  events,
  levels,
  reservations,
  listings,
  violationCount,
  violations,
}: Verification): string {
  const checked = `${events} events, ${levels} levels, ${reservations} reservations and ${listings} listings`;
  if (ok) return `Verified: ${checked} explain each other.`;
  const named = violations.map(({ invariant, message }) => `  ${invariant}  ${message}`);
  const more = violationCount > violations.length ? [`  and ${violationCount - violations.length} more`] : [];
  return [
    `NOT verified: ${violationCount} violations in ${checked}.`,
    ...named,
    ...more,
    'Where only levels are wrong (I1), `onhand rebuild` makes them anew; keep a copy of the database first.',
  ].join('\n');
}
