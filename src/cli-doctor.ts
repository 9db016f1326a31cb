import type { Command } from 'commander';
import { action, printAnswer, printJson } from './cli-output';
import { loadConfig } from './config/load-config';
import type { Finding } from './doctor';

const CONFIG_HELP =
  'configuration file; default ONHAND_CONFIG, or onhand.yaml in this folder where there is one';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check the database, and each channel with its credentials and scopes; exit code 1 on a fault',
    )
    .option('--config <file>', CONFIG_HELP)
    .option('--json', 'print JSON')
    .action(
      action(async ({ config: file, json }: { config?: string; json?: boolean }) => {
        const config = loadConfig({ file, env: process.env, cwd: process.cwd() });
        // Loaded here, so that the small commands need not wait for all that plugins may use.
        const { examine } = await import('./doctor.js');
        await report(examine(config), json);
      }),
    );
}

/** A line for each finding as it comes, or all of them as JSON; the exit code is 1 where one is a fault. */
export async function report(examined: AsyncIterable<Finding>, json = false): Promise<void> {
  const findings: Finding[] = [];
  for await (const finding of examined) {
    findings.push(finding);
    if (!json) printAnswer(`${finding.ok ? '✓' : '✗'} ${finding.subject}: ${finding.message}`);
  }
  const ok = findings.every((finding) => finding.ok);
  if (json) printJson({ ok, findings });
  if (!ok) process.exitCode = 1;
}
