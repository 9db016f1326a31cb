import type { Command } from 'commander';
import { CONFIG_HELP, JsonOption } from './options';
import { action, EXIT, printAnswer, printJson } from './output';
import { loadConfig } from '../config/load-config';
import type { Finding } from '../doctor/finding';

const MARKS = { ok: '✓', warning: '!', fault: '✗' };

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check database, Redis, clock, plugins, webhooks, and each channel with its credentials; exit code 1 on a fault',
    )
    .option('--config <file>', CONFIG_HELP)
    .addOption(new JsonOption('{ok, findings: [{subject, ok, level, message, fix}]}'))
    .action(
      action(async ({ config: file, json }: { config?: string; json?: boolean }) => {
        const config = loadConfig({ file, env: process.env, cwd: process.cwd() });
        // Loaded here, so that the small commands need not wait for all that plugins may use.
        const { examine } = await import('../doctor/doctor.js');
        await report(examine(config), json);
      }),
    );
}

/** A line for each finding as it comes, or all of them as JSON; the exit code is 1 where one is a fault. */
export async function report(examined: AsyncIterable<Finding>, json = false): Promise<void> {
  const findings: Finding[] = [];
  for await (const finding of examined) {
    findings.push(finding);
    const { subject, level, message, fix } = finding;
    if (!json) printAnswer(`${MARKS[level]} ${subject}: ${message}${fix === null ? '' : `\n    → ${fix}`}`);
  }
  const ok = findings.every((finding) => finding.ok);
  if (json) printJson({ ok, findings });
  if (!ok) process.exitCode = EXIT.failed;
}
