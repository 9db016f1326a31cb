import { setTimeout as sleep } from 'node:timers/promises';
import type { HostClient } from './host-client';
import { HostProblemError } from './host.errors';
import type { EventDraft } from './timeline';

const SKUS_AT_ONCE = 1_000;
/** Half of what the API takes: a batch stays far below the limit on the size of a request. */
const EVENTS_AT_ONCE = 500;
const BATCH_ATTEMPTS = 6;

/** What became of events, over all batches. */
export class PostedEvents {
  applied = 0;
  /** Known to the ledger from an earlier run. */
  known = 0;
  /** Refused ones by the code of their problem, with the first detail of each. */
  readonly refused = new Map<string, { count: number; example: string }>();

  add(answer: EventAnswer): void {
    if (answer.event?.duplicate) this.known += 1;
    else if (answer.event) this.applied += 1;
    if (!answer.problem) return;
    const { code, detail } = answer.problem;
    const refused = this.refused.get(code) ?? { count: 0, example: detail };
    refused.count += 1;
    this.refused.set(code, refused);
  }
}

interface EventAnswer {
  status: number;
  event?: { duplicate: boolean };
  problem?: { code: string; title: string; detail: string };
}

/** Creates the SKUs, or gives those that exist these names. */
export async function postSkus(host: HostClient, skus: ReadonlyMap<string, string>): Promise<void> {
  const bodies = [...skus].map(([sku, name]) => (name === '' ? { sku } : { sku, name }));
  for (const batch of batches(bodies, SKUS_AT_ONCE)) await host.post('/v1/skus', batch, { repeatable: true });
}

/**
 * Posts the opening stock. @throws HostProblemError when this file was replayed before with another opening
 * stock, because the two together would be neither.
 */
export async function postOpeningStock(
  host: HostClient,
  events: readonly EventDraft[],
  posted: PostedEvents,
): Promise<void> {
  await postEvents(host, events, posted);
  if (!posted.refused.has('idempotency-conflict')) return;
  throw new HostProblemError(
    422,
    'idempotency-conflict',
    'This file was replayed on this host before, with another opening stock',
    'replay it with the same --opening as then, or on a host with an empty database',
  );
}

/** Each event is answered on its own; what was refused is counted in `posted`. */
export async function postEvents(
  host: HostClient,
  events: readonly EventDraft[],
  posted: PostedEvents,
): Promise<void> {
  for (const batch of batches(events, EVENTS_AT_ONCE)) {
    const { items } = await postBatch(host, batch);
    for (const item of items) posted.add(item);
  }
}

/** Single items can be answered 503 while the batch as a whole is not: their keys make it safe to send all again. */
async function postBatch(host: HostClient, batch: readonly EventDraft[]): Promise<{ items: EventAnswer[] }> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await host.post<{ items: EventAnswer[] }>('/v1/events', batch, { repeatable: true });
    const problem = answer.items.find(({ status }) => status === 503)?.problem;
    if (!problem) return answer;
    if (attempt === BATCH_ATTEMPTS)
      throw new HostProblemError(503, problem.code, problem.title, problem.detail);
    await sleep(attempt * 500);
  }
}

function* batches<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
