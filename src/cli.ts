import { Command } from 'commander';
import { addAlertCommands } from './cli/alerts';
import { addAuthorizeCommand } from './cli/authorize';
import { addBacktestCommand } from './cli/backtest';
import { addBufferCommands } from './cli/buffers';
import { addCompletionCommand } from './cli/completion';
import { addDemoCommand } from './cli/demo';
import { addDoctorCommand } from './cli/doctor';
import { addHostCommands } from './cli/host';
import { addInitCommand } from './cli/init';
import { addKeyCommands } from './cli/keys';
import { addKpiCommands } from './cli/kpis';
import { addLedgerCommands } from './cli/ledger';
import { addListingCommands } from './cli/listings';
import { addOrdersCommands } from './cli/orders';
import { fail } from './cli/output';
import { addPluginAuthorCommands } from './cli/plugin-author';
import { addPluginCommands } from './cli/plugins';
import { addReceiverCommands } from './cli/receivers';
import { addReconcileCommands } from './cli/reconcile';
import { addSecretCommands } from './cli/secrets';
import { addSkuCommands } from './cli/skus';
import { addStockCommands } from './cli/stock';
import { addTaskCommands } from './cli/tasks';
import { VERSION } from './version';

const EXIT_HELP = `
Exit codes: 0 all is well; 1 it failed, or a check found something; 2 the command line or the configuration is wrong;
130 interrupted. Answers go to standard output, everything else to standard error.`;

/** Every command there is. */
export function onhandProgram(): Command {
  const program = new Command('onhand')
    .description('A self-hosted host for sales-channel plugins that keeps stock in sync.')
    .version(VERSION)
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', EXIT_HELP)
    // Instead of ending the process with 1: what is wrong with a command line ends with 2.
    .exitOverride();

  addHostCommands(program);
  addInitCommand(program);
  addDoctorCommand(program);
  addDemoCommand(program);
  addOrdersCommands(program);
  addStockCommands(program);
  addLedgerCommands(program);
  addKeyCommands(program);
  addSecretCommands(program);
  addAuthorizeCommand(program);
  addPluginCommands(program);
  addPluginAuthorCommands(program);
  addListingCommands(program);
  addSkuCommands(program);
  addReconcileCommands(program);
  addTaskCommands(program);
  addBufferCommands(program);
  addBacktestCommand(program);
  addKpiCommands(program);
  addAlertCommands(program);
  addReceiverCommands(program);
  addCompletionCommand(program);
  return program;
}

/** Runs the command line of this process. */
export function run(): void {
  // A reader that has seen enough, such as head, ends the command quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  onhandProgram().parseAsync().catch(fail);
}
