import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { eventually } from './eventually';
import { temporaryFolder } from './test-server';

/** Whether there is a `redis-server` on the path. */
export const REDIS_IS_INSTALLED = spawnSync('redis-server', ['--version']).status === 0;

/** Hosts on a real Redis, or a loud skip that says how to get one. */
export function describeWithRedis(name: string, facts: () => void): void {
  if (!REDIS_IS_INSTALLED) {
    process.stderr.write(
      `\nSKIPPED: "${name}", because there is no redis-server. Install it: apt-get install -y redis-server\n\n`,
    );
  }
  (REDIS_IS_INSTALLED ? describe : describe.skip)(name, facts);
}

/** A Redis of the test's own, on a free port, that keeps nothing on disk and can be killed, stopped and filled. */
export class TestRedis {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly password: string | undefined,
  ) {}

  static async start({
    password,
    running = true,
  }: { password?: string; running?: boolean } = {}): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), await temporaryFolder(), password);
    if (running) await redis.restart();
    return redis;
  }

  get url(): string {
    return `redis://${this.password === undefined ? '' : `:${this.password}@`}127.0.0.1:${this.port}/0`;
  }

  /** Starts it, empty, where it does not run. */
  async restart(): Promise<void> {
    const settings = { port: this.port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: this.folder };
    const all = { ...settings, ...(this.password !== undefined && { requirepass: this.password }) };
    const flags = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.child = spawn('redis-server', flags, { stdio: 'ignore' });
    await eventually(async () => {
      if ((await this.command('PING')) !== 'PONG') throw new Error('Redis does not answer yet');
    });
  }

  /** SIGSTOP leaves its connections open and unanswered until SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child!.kill(signal);
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** One command on a connection of its own. */
  async command(name: string, ...words: string[]): Promise<unknown> {
    const client = new Redis(this.url, {
      lazyConnect: true,
      disconnectTimeout: 100,
      retryStrategy: () => null,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.call(name, ...words);
    } finally {
      client.disconnect();
    }
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
