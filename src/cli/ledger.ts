import type { Command } from 'commander';
import { type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, EXIT, tell } from './output';
import { follow } from './tasks';

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
    .addOption(
      new JsonOption(
        '{ok, events, levels, reservations, listings, violationCount, violations: [{invariant, message}]}',
      ),
    )
    .action(
      action(async (flags: JsonFlags) => {
        const result = await follow<Verification>(flags, '/v1/ledger/verify');
        tell(flags, result, () => verificationText(result));
        if (!result.ok) process.exitCode = EXIT.failed;
      }),
    );

  withHostOptions(program.command('rebuild'))
    .description('make the levels anew from the ledger')
    .addOption(new JsonOption('{events, levels, corrected, added, removed, lockedMs}'))
    .action(
      action(async (flags: JsonFlags) => {
        const result = await follow<Rebuilt>(flags, '/v1/ledger/rebuild');
        tell(flags, result, () => rebuiltText(result));
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
