import autocannon from 'autocannon';
import type { Measured } from './measure';
import type { ServerProcess } from './server-process';

const CONNECTIONS = 64;

export interface HttpRound {
  reserve: Measured;
  reserveFloor: Measured;
  availability: Measured;
  availabilityFloor: Measured;
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
