import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import autocannon from 'autocannon';
import type { Measured } from './measure';

const CONNECTIONS = 64;

export interface HttpRound {
  reserve: Measured;
  reserveFloor: Measured;
  availability: Measured;
  availabilityFloor: Measured;
}

/** A server in a process of its own, so that the load generator does not share its core. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(args: string[], env: NodeJS.ProcessEnv, readyPath: string): Promise<ServerProcess> {
    const port = await freePort();
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...env, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const url = `http://127.0.0.1:${port}`;
    for (let tries = 0; tries < 300; tries++) {
      if (child.exitCode !== null) throw new Error(`${args[0]} ended with ${child.exitCode}`);
      const answer = await fetch(url + readyPath).catch(() => undefined);
      if (answer?.ok) return new ServerProcess(child, url);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill('SIGKILL');
    throw new Error(`${args[0]} did not get ready`);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

export interface HttpTargets {
  host: ServerProcess;
  bare: ServerProcess;
  apiKey: string;
  skus: readonly string[];
}

/** Ours and a bare route in turn: POST of a reservation, GET of an availability. */
export async function benchHttp(
  { host, bare, apiKey, skus }: HttpTargets,
  seconds: number,
): Promise<HttpRound> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const bodies = skus.slice(0, 1_000).map((sku) => JSON.stringify({ lines: [{ sku, quantity: 1 }] }));
  const post = (url: string) => fire(`${url}/v1/reservations`, 'POST', headers, seconds, bodies);
  const paths = skus.slice(0, 1_000).map((sku) => `/v1/availability?sku=${sku}`);
  const get = (url: string) => fire(url, 'GET', headers, seconds, undefined, paths);
  return {
    reserve: await post(host.url),
    reserveFloor: await post(bare.url),
    availability: await get(host.url),
    availabilityFloor: await get(bare.url),
  };
}

async function fire(
  url: string,
  method: 'GET' | 'POST',
  headers: Record<string, string>,
  seconds: number,
  bodies?: readonly string[],
  paths?: readonly string[],
): Promise<Measured> {
  const requests = bodies
    ? bodies.map((body) => ({ method, headers, body }))
    : paths!.map((path) => ({ method, headers, path }));
  const run = (duration: number) => autocannon({ url, connections: CONNECTIONS, duration, requests });
  await run(1);
  const result = await run(seconds);
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} answers were not 2xx, ${result.errors} errors`);
  return {
    perSecond: Math.round(result.requests.average),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
