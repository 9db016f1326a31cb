import { createRequire } from 'node:module';
import { plantBug, plantNamed } from './plant';
import type { Plan } from './plan';
import type { RunResult } from './run';

/** What a worker is asked over its channel to the command. */
export type Order = { plan: Plan } | { seed: number } | 'end';

const load = createRequire(__filename);

/** The rest is loaded once the seams are in place, and a bug planted. */
async function main(url: string, planted: string | undefined): Promise<void> {
  if (planted !== undefined && planted !== '') plantBug(plantNamed(planted));
  const { createSimulatedDatabase } = load('./cluster') as typeof import('./cluster');
  const { prepareDataSource } = load('./data-source') as typeof import('./data-source');
  const { SimulatedServer } = load('./sessions') as typeof import('./sessions');
  const { installSeams } = load('./seams') as typeof import('./seams');
  const database = await createSimulatedDatabase(url, `onhand_simulate_${process.pid}`);
  await prepareDataSource(database);
  const server = await SimulatedServer.open(database);
  installSeams();
  const { planOf } = load('./plan') as typeof import('./plan');
  const { runPlan } = load('./run') as typeof import('./run');
  process.on('message', (order: Order) => {
    if (order === 'end') process.exit(0);
    const plan = 'plan' in order ? order.plan : planOf(order.seed);
    void runPlan(plan, server).then(
      (result: RunResult) => process.send!(result),
      (error: Error) => {
        process.stderr.write(`${error.stack}\n`);
        process.exit(1);
      },
    );
  });
  // The command is gone, and nobody wants to know any more.
  process.on('disconnect', () => process.exit(1));
  process.send!('ready');
}

main(process.argv[2]!, process.argv[3]).catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
