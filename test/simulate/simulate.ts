import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { execute, startTestServer } from '../support/test-server';
import { huntAll } from './hunt';
import { planOf } from './plan';
import { count, emptyTally, failure, summary } from './report';
import type { RunResult } from './run';
import { shrink } from './shrink';
import { Worker } from './workers';
import type { Violation } from './world';

const USAGE = `npm run simulate -- [--seeds 1000] [--from 1] [--seed N] [--workers 2] [--plant NAME | --plants] [--stop-at-first]`;
/** One seed in so many is run twice, and its traces compared. */
const REPLAYED = 50;
const TOLD_EVERY_MS = 10_000;

interface Asked {
  from: number;
  seeds: number;
  workers: number;
  plant: string;
  huntsPlants: boolean;
  stopsAtFirst: boolean;
}

function asked(): Asked {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      workers: { type: 'string', default: String(cpus().length) },
      plant: { type: 'string', default: '' },
      plants: { type: 'boolean', default: false },
      'stop-at-first': { type: 'boolean', default: false },
    },
  });
  const whole = (text: string) => {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`${JSON.stringify(text)} is no whole number\n${USAGE}`);
    return Number(text);
  };
  const one = values.seed;
  return {
    from: whole(one ?? values.from),
    seeds: one === undefined ? whole(values.seeds) : 1,
    workers: Math.max(1, Math.min(whole(values.workers), one === undefined ? Infinity : 1)),
    plant: values.plant,
    huntsPlants: values.plants,
    stopsAtFirst: values['stop-at-first'],
  };
}

/** All seeds, shared among the workers. Answers those that failed. */
async function runAll(
  { from, seeds, stopsAtFirst }: Asked,
  workers: readonly Worker[],
): Promise<RunResult[]> {
  const startedAt = performance.now();
  const tally = emptyTally();
  const failed: RunResult[] = [];
  let next = from;
  let toldAt = startedAt;
  const work = async (worker: Worker) => {
    while (next < from + seeds && !(stopsAtFirst && failed.length > 0)) {
      const seed = next++;
      const result = await worker.run({ seed });
      count(tally, result);
      if (seed % REPLAYED === 0 || seeds === 1) {
        const again = await worker.run({ seed });
        tally.replayed++;
        if (again.digest !== result.digest)
          result.violations.push({
            invariant: 'replay',
            message: `its trace was ${result.digest} and then ${again.digest}`,
          });
      }
      if (result.violations.length > 0) {
        failed.push(result);
        const [{ invariant, message }] = result.violations as [Violation];
        process.stdout.write(`seed ${seed} fails, ${invariant}: ${message.slice(0, 200)}\n`);
      }
      if (performance.now() - toldAt < TOLD_EVERY_MS) continue;
      toldAt = performance.now();
      process.stdout.write(`${tally.seeds} of ${seeds} seeds, ${failed.length} failed\n`);
    }
  };
  await Promise.all(workers.map(work));
  failed.sort((a, b) => a.seed - b.seed);
  process.stdout.write(`${summary(tally, failed, (performance.now() - startedAt) / 1000)}\n`);
  return failed;
}

/** The first failure, made as small as it gets. */
async function explain(result: RunResult, worker: Worker): Promise<void> {
  const names = new Set(result.violations.map(({ invariant }) => invariant));
  const fails = async (run: RunResult) => run.violations.some(({ invariant }) => names.has(invariant));
  const { plan, tries } = await shrink(planOf(result.seed), async (each) =>
    fails(await worker.run({ plan: each })),
  );
  const shrunk = { plan, tries, result: await worker.run({ plan }) };
  process.stdout.write(`${failure(result, shrunk, commit())}\n`);
}

/** Every planted bug must be found by one of the seeds. */
async function huntPlants(options: Asked, serverUrl: string): Promise<void> {
  const all = await huntAll(serverUrl, options, ({ name, seed, broken }) => {
    const where = seed === undefined ? 'NOT FOUND' : `seed ${seed}: ${broken.join(', ')}`;
    process.stdout.write(`${name}: ${where}\n`);
  });
  if (all.some(({ seed }) => seed === undefined)) process.exitCode = 1;
}

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim();
}

async function stopAutovacuum(url: string): Promise<void> {
  await execute(url, 'ALTER SYSTEM SET autovacuum = off');
  await execute(url, 'SELECT pg_reload_conf()');
}

async function main(): Promise<void> {
  const options = asked();
  const server = await startTestServer();
  // It would wait, lock and tidy up by a clock of its own. A server that was given is left as it is.
  if (!process.env.TEST_DATABASE_URL) await stopAutovacuum(server.url);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void server.stop().finally(() => process.exit(130)));
  try {
    if (options.huntsPlants) return await huntPlants(options, server.url);
    const started = Array.from({ length: options.workers }, () => Worker.start(server.url, options.plant));
    const workers = await Promise.all(started);
    const failed = await runAll(options, workers);
    if (failed.length > 0) {
      process.exitCode = 1;
      if (options.plant === '' || options.seeds === 1) await explain(failed[0]!, workers[0]!);
    }
    await Promise.all(workers.map((worker) => worker.end()));
  } finally {
    await server.stop();
  }
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
