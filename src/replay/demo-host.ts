import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../version';
import { HostEndedError, ReplaySetupError } from './replay.errors';

export interface DemoHostOptions {
  configFile: string;
  logFile: string;
  adminKey: string;
  port: number;
}

const READY_WITHIN_MS = 120_000;
/** The host finishes its work and stops its PostgreSQL; killing it earlier could leave that running. */
const STOPPED_WITHIN_MS = 30_000;
const LOG_TAIL_LINES = 25;

/** A host in a process of its own, as `onhand start` makes it. */
export class DemoHost {
  readonly url: string;
  private readonly child: ChildProcess;
  private readonly logFile: string;
  private readonly exited: Promise<string>;
  /** How it ended; undefined while it runs. */
  private how: string | undefined;
  private wasReady = false;

  constructor({ configFile, logFile, adminKey, port }: DemoHostOptions) {
    this.url = `http://127.0.0.1:${port}`;
    this.logFile = logFile;
    const log = openSync(logFile, 'a');
    this.child = spawn(
      process.execPath,
      [join(PACKAGE_ROOT, 'bin/onhand.js'), 'start', '--config', configFile],
      {
        // Its own process group: Ctrl-C reaches the demo alone, which then stops the host in good order.
        detached: true,
        stdio: ['ignore', log, log],
        env: { ...ownEnvironment(), NO_COLOR: '1', ONHAND_ADMIN_KEY: adminKey },
      },
    );
    closeSync(log);
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    void this.exited.then((how) => (this.how = how));
  }

  /** Rejects with `HostEndedError` when the host ends; never resolves. */
  async watch(): Promise<never> {
    throw new HostEndedError(await this.exited, this.logTail());
  }

  /** @throws ReplaySetupError when it takes too long, HostEndedError when the host ends. */
  async ready(signal?: AbortSignal): Promise<void> {
    for (const giveUpAt = Date.now() + READY_WITHIN_MS; Date.now() < giveUpAt;) {
      if (this.how !== undefined) throw new HostEndedError(this.how, this.logTail());
      const answer = await fetch(`${this.url}/health/ready`).catch(() => undefined);
      if (answer?.ok) {
        this.wasReady = true;
        return;
      }
      await sleep(100, undefined, { signal });
    }
    throw new ReplaySetupError(
      `The demo's host was not ready after ${READY_WITHIN_MS / 1000} s. The end of its log:\n\n${this.logTail()}`,
    );
  }

  /** Resolves once the host is gone. */
  async stop(): Promise<void> {
    // A host that is still starting its PostgreSQL does not listen to signals yet, and would leave it running.
    if (!this.wasReady) await this.ready().catch(() => undefined);
    if (this.how !== undefined) return;
    this.child.kill('SIGTERM');
    const late = sleep(STOPPED_WITHIN_MS, 'late', { ref: false });
    if ((await Promise.race([this.exited, late])) !== 'late') return;
    this.child.kill('SIGKILL');
    await this.exited;
  }

  private logTail(): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  }
}

/** A port that was free a moment ago; the host is told it, so that its address is known before it starts. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Without the variables that point a host at a real database or another configuration. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(?:ONHAND_.*|HOST|PORT|DATABASE_URL|REDIS_URL|LOG_LEVEL|NODE_OPTIONS)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
