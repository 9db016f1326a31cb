import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { execute } from '../support/test-server';
import type { Plan } from './plan';
import type { RunResult } from './run';
import type { Order } from './worker';

const ROOT = resolve(__dirname, '../..');

/** A worker's own, which is gone once it has ended. */
export function databaseOf(pid: number): string {
  return `onhand_simulate_${pid}`;
}

/** A process of its own for runs, with a database of its own: one run at a time. */
export class Worker {
  private constructor(
    private readonly child: ChildProcess,
    private readonly serverUrl: string,
  ) {}

  static async start(serverUrl: string, planted = ''): Promise<Worker> {
    const child = fork(join(__dirname, 'worker.ts'), [serverUrl, planted], {
      cwd: ROOT,
      execArgv: ['-r', './test/support/register-swc.js'],
      env: { ...process.env, TZ: 'UTC' },
    });
    await reply(child);
    return new Worker(child, serverUrl);
  }

  async run(what: { seed: number } | { plan: Plan }): Promise<RunResult> {
    this.child.send(what satisfies Order);
    return (await reply(this.child)) as RunResult;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.send('end' satisfies Order);
    await ended;
    await execute(this.serverUrl, `DROP DATABASE IF EXISTS ${databaseOf(this.child.pid!)} WITH (FORCE)`);
  }
}

async function reply(child: ChildProcess): Promise<unknown> {
  const gone = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: gone.signal }).then(([message]) => message as unknown),
      once(child, 'exit', { signal: gone.signal }).then(([code]) => {
        throw new Error(`a worker of the simulation ended with code ${code}; what it says is above`);
      }),
    ]);
  } finally {
    gone.abort();
  }
}
