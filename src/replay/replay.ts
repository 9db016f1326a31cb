import type { ChannelSimulator } from '../channel-api/simulator';
import { type ChannelStatus, readyChannel, waitForQuiet } from './channel-status';
import { compareChannel, type PublishingRules } from './compare-channel';
import type { HostClient } from './host-client';
import { PostedEvents, postEvents, postOpeningStock, postSkus } from './ledger-posts';
import { openingStock } from './opening-stock';
import { OrderChannel } from './order-channel';
import type { OrderFile } from './order-file';
import { runPaced } from './paced-steps';
import { type EventsByType, readLedger, summaryOf, type Summary } from './summary';
import { type Step, timelineOf } from './timeline';

/*
 * Replays a file of sales through the host's public paths: buyers order from a plugin's simulator, the host
 * hears of it by signed webhook, and stock moves are posted to the API. This room knows the host by HTTP and
 * the channel by its simulator alone; it never touches the database.
 */

export interface ReplayOptions {
  /** File seconds per real second; 0 goes as fast as the host answers. */
  speed: number;
  /** Share of the webhooks that are sent again, 0 to 1. */
  duplicateShare: number;
  /** Documents are sent earlier or later by at most this, in ms. */
  shuffleWithinMs: number;
  seed: number;
  /** Opening stock as a factor of all that the file takes out. */
  opening: number;
}

export interface ReplayTarget {
  host: HostClient;
  simulator: ChannelSimulator;
  channel: string;
  rules: PublishingRules;
  onProgress: (progress: ReplayProgress) => void;
  signal?: AbortSignal;
}

/** `done` of `total` documents' steps; `fileTime` is how far the file's clock has come. */
export type ReplayProgress =
  | { phase: 'stock'; skus: number }
  | { phase: 'orders'; done: number; total: number; fileTime: string; webhooks: number }
  | { phase: 'quiet'; dirty: number; received: number };

const IN_FLIGHT = 32;
const STALLED_AFTER_MS = 60_000;

/**
 * Replays the file and compares the channel with the ledger once all is quiet. Done again, it posts nothing
 * twice: every write carries a key made of the file's content. @throws HostProblemError, HostUnreachableError
 */
export async function replay(
  file: OrderFile,
  options: ReplayOptions,
  target: ReplayTarget,
): Promise<Summary> {
  const { host, channel, simulator, rules, onProgress } = target;
  const { steps, inFuture } = timelineOf(file, { ...options, nowMs: Date.now() });
  await readyChannel(host, channel);
  const before = await readLedger(host);
  const startedAt = Date.now();

  const posted = new PostedEvents();
  onProgress({ phase: 'stock', skus: file.skus.size });
  await postSkus(host, file.skus);
  await postOpeningStock(host, openingStock(file, options.opening), posted);
  // The simulator is a new shop: after an earlier replay it has not heard what the host pushed then.
  const isRepeated = posted.known > 0;

  const orders = new OrderChannel(simulator, host, channel, steps);
  await runSteps(steps, options.speed, orders, posted, target);
  const sentAt = Date.now();

  const status = await settle(target, isRepeated);
  const quietAt = Date.now();
  const comparison = await compareChannel(host, simulator.shown(), rules);
  const { ok } = await host.post<{ ok: boolean }>('/v1/ledger/verify', undefined, { repeatable: true });
  return summaryOf({
    file,
    options,
    events: since(before, await readLedger(host)),
    posted,
    webhooks: orders.counts,
    inFuture,
    isRepeated,
    status,
    listings: simulator.shown().size,
    calls: simulator.calls,
    comparison,
    verified: ok,
    shortfalls: await count(host.items('/v1/shortfalls')),
    seconds: { total: (quietAt - startedAt) / 1000, quiet: (quietAt - sentAt) / 1000 },
  });
}

/** Puts every SKU of the file up for sale, showing 0 until the host says otherwise. */
export function listSkus(simulator: ChannelSimulator, file: OrderFile): void {
  const items = [...file.skus].map(([channelSku, title]) => ({
    channelSku,
    quantityUnits: 0,
    title: title || channelSku,
  }));
  simulator.list(items);
}

async function runSteps(
  steps: readonly Step[],
  speed: number,
  orders: OrderChannel,
  posted: PostedEvents,
  { host, onProgress, signal }: ReplayTarget,
): Promise<void> {
  let done = 0;
  const postsOf = new Map<string, Promise<void>>();
  await runPaced(steps, { speed, inFlight: IN_FLIGHT, signal }, async (step) => {
    if (step.kind === 'post') {
      // An inspection needs the returned units, so the posts of one document wait for each other.
      const post = (postsOf.get(step.document) ?? Promise.resolve()).then(() =>
        postEvents(host, step.events, posted),
      );
      postsOf.set(step.document, post);
      await post;
    } else {
      await orders.run(step);
    }
    done += 1;
    onProgress({
      phase: 'orders',
      done,
      total: steps.length,
      fileTime: step.occurredAt,
      webhooks: orders.counts.sent,
    });
  });
}

/** Answers the channel's status once nothing moves any more. */
async function settle(
  { host, channel, onProgress, signal }: ReplayTarget,
  reconcile: boolean,
): Promise<ChannelStatus> {
  const onStatus = ({ dirty, inbox }: ChannelStatus) =>
    onProgress({ phase: 'quiet', dirty, received: inbox.received });
  const wait = () => waitForQuiet(host, channel, { stalledAfterMs: STALLED_AFTER_MS, onStatus, signal });
  const status = await wait();
  if (!reconcile) return status;
  await host.post(`/v1/channels/${encodeURIComponent(channel)}/reconcile`, undefined, { repeatable: true });
  return wait();
}

function since(before: EventsByType, after: EventsByType): EventsByType {
  const counts = Object.entries(after).map(([type, count]) => [type, count - (before[type] ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let counted = 0;
  for await (const _item of items) counted += 1;
  return counted;
}
