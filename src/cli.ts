import { Command } from 'commander';
import { addAlertCommands } from './cli-alerts';
import { addBacktestCommand } from './cli-backtest';
import { addBufferCommands } from './cli-buffers';
import { addDemoCommand } from './cli-demo';
import { addDoctorCommand } from './cli-doctor';
import { addHostCommands } from './cli-host';
import { addKeyCommands } from './cli-keys';
import { addLedgerCommands } from './cli-ledger';
import { addListingCommands } from './cli-listings';
import { addOrdersCommands } from './cli-orders';
import { fail } from './cli-output';
import { addPluginAuthorCommands } from './cli-plugin-author';
import { addPluginCommands } from './cli-plugins';
import { addReceiverCommands } from './cli-receivers';
import { addReconcileCommands } from './cli-reconcile';
import { addSkuCommands } from './cli-skus';
import { addTaskCommands } from './cli-tasks';
import { VERSION } from './version';

const program = new Command('onhand')
  .description('A self-hosted host for sales-channel plugins that keeps stock in sync.')
  .version(VERSION)
  .showHelpAfterError('(add --help for the options)');

addHostCommands(program);
addDoctorCommand(program);
addDemoCommand(program);
addOrdersCommands(program);
addLedgerCommands(program);
addKeyCommands(program);
addPluginCommands(program);
addPluginAuthorCommands(program);
addListingCommands(program);
addSkuCommands(program);
addReconcileCommands(program);
addTaskCommands(program);
addBufferCommands(program);
addBacktestCommand(program);
addAlertCommands(program);
addReceiverCommands(program);

program.parseAsync().catch(fail);
