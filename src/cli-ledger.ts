import type { Command } from 'commander';
import { type HostFlags, hostOf, withHostOptions } from './cli-options';
import { action, printAnswer, printJson } from './cli-output';

interface Verification {
  ok: boolean;
  events: number;
  levels: number;
  reservations: number;
  violationCount: number;
  violations: { invariant: string; message: string }[];
}

type JsonFlags = HostFlags & { json?: boolean };

export function addLedgerCommands(program: Command): void {
  withHostOptions(program.command('verify'))
    .description('check that levels, events and reservations explain each other; changes nothing')
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const result = await hostOf(flags).post<Verification>('/v1/ledger/verify', undefined, {
          repeatable: true,
        });
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
        const result = await hostOf(flags).post<{ events: number; levels: number }>('/v1/ledger/rebuild');
        if (flags.json) printJson(result);
        else printAnswer(`Made ${result.levels} levels from ${result.events} events.`);
      }),
    );

  withHostOptions(program.command('reconcile <channel>'))
    .description('compare a channel with the ledger now; what drifted is pushed again')
    .option('--json', 'print JSON')
    .action(
      action(async (channel: string, flags: JsonFlags) => {
        const path = `/v1/channels/${encodeURIComponent(channel)}/reconcile`;
        const result = await hostOf(flags).post<Record<string, unknown>>(path);
        if (flags.json) printJson(result);
        else printAnswer(plainText(result));
      }),
    );
}

function verificationText({
  ok,
  events,
  levels,
  reservations,
  violationCount,
  violations,
}: Verification): string {
  const checked = `${events} events, ${levels} levels and ${reservations} reservations`;
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

/** One line per field; nested values as JSON. */
function plainText(result: Record<string, unknown>): string {
  const entries = Object.entries(result).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  const width = Math.max(0, ...entries.map(([name]) => name!.length));
  return entries.map(([name, value]) => `${name!.padEnd(width)}  ${value}`).join('\n');
}
