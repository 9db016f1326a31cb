import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import { BreakerService } from '../channels/breaker.service';
import type { ReadyChannel } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { Config } from '../config/config';
import { pipelinedPool } from '../database/pool';
import { CatalogService } from '../inventory/catalog.service';
import { causedBy, traced } from '../telemetry/tracing';
import { followsPushes } from './followed-pushes.service';
import { companyOf, type PushOutcome, sendBatch } from './push-batch';
import {
  type ClaimedListing,
  claimListings,
  markNeverPushed,
  putOffListings,
  releaseListings,
} from './push-claims';
import { locationsOf, type PlannedPush, planPushes } from './push-plan';
import { beginPushes, settlePushes } from './push-records';

/** How a run of pushing ended. */
export interface PushRun {
  /** Updates sent, whatever became of them. */
  sent: number;
  /** The channel failed as a whole: what is left is worth a try after so many ms. */
  retryAfterMs?: number;
  /** Listings that wait for orders to be read. */
  ordersFirst: boolean;
}

/** One claim and what is known of the run so far. */
interface Claim {
  lease: string;
  /** When the lease ends, in ms of `performance.now()`, as early as it can. */
  deadlineMs: number;
  listings: ClaimedListing[];
}

/** A channel that fails so often in a row is not asked for the rest now. */
const FAILURES_IN_A_ROW = 2;
const RETRY_AFTER_MS = 1_000;
/** Of this room's own: channels are pushed to side by side, and none waits for a page of the API. */
const CONNECTIONS = 4;

/**
 * Sends what is dirty. Quantities are computed when they are sent, never taken from when the listing became
 * dirty; a listing that became dirty again meanwhile stays so. Several workers may push one channel: each
 * listing is one worker's as long as its lease lasts, and a worker that slept past it sends nothing.
 */
@Injectable()
export class PushService implements OnApplicationShutdown {
  private readonly log = new Logger('push');
  private readonly pool: Pool;
  private stopped = false;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly published: PublishedQuantityService,
    private readonly catalog: CatalogService,
    private readonly breakers: BreakerService,
    private readonly config: Config,
  ) {
    this.pool = pipelinedPool(dataSource, CONNECTIONS);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  /** Claims no more; what is dirty is left to the other hosts, or to the next start. */
  stop(): void {
    this.stopped = true;
  }

  /** Pushes batch after batch until nothing of the channel is due, or the channel fails. */
  async pushDirty(channel: ReadyChannel): Promise<PushRun> {
    const run: PushRun & { failures: number } = { sent: 0, ordersFirst: false, failures: 0 };
    while (!this.stopped) {
      // Looked at before each claim: it may be this very run's push that was given up.
      if (channel.deadline.busy) {
        this.log.error(
          `${channel.name}: the plugin has not come back from a push that was given up; restart this host if it stays so`,
        );
        return run;
      }
      // What waits for a channel that is away stays dirty, unclaimed and untried.
      if (this.breakers.isOpen(channel.name)) return run;
      const claim = await this.claim(channel);
      if (claim.listings.length === 0) return run;
      await this.pushClaim(channel, claim, run);
      if (run.retryAfterMs !== undefined) return run;
    }
    return run;
  }

  /** What a channel has never taken although it may, so that going live needs no change of stock. */
  async markNeverPushed(channel: ReadyChannel): Promise<void> {
    const { mode, pilotTags } = channel.config;
    if (mode === 'observe') return;
    const tags = mode === 'pilot' ? pilotTags : null;
    await markNeverPushed(this.pool, channel.name, locationsOf(channel), tags);
  }

  private async claim(channel: ReadyChannel): Promise<Claim> {
    const { leaseSeconds } = this.config.push;
    const perListing = locationsOf(channel).length;
    const limit = Math.max(1, Math.floor(channel.capabilities.pushBatchSize / perListing));
    const lease = randomUUID();
    const deadlineMs = performance.now() + leaseSeconds * 1000;
    const listings = await claimListings(this.pool, {
      channel: channel.name,
      lease,
      limit,
      leaseSeconds,
      follows: followsPushes(channel),
    });
    return { lease, deadlineMs, listings };
  }

  private async pushClaim(
    channel: ReadyChannel,
    { lease, deadlineMs, listings }: Claim,
    run: PushRun & { failures: number },
  ): Promise<void> {
    const computed = await planPushes(channel, listings, {
      listings: this.listings,
      published: this.published,
    });
    const waiting = waitingOf(computed);
    await putOffListings(this.pool, lease, [...waiting]);
    const planned = computed.filter(({ claimed }) => !waiting.has(claimed));
    const allowed = await this.allowedIn(channel, planned);
    const observed = planned.filter((push) => !allowed.has(push));
    await beginPushes(this.pool, claimOf(channel, lease), observed, 'observed');
    const sending = new Set([...allowed].map((push) => push.claimed));
    const done = listings.filter((each) => !sending.has(each) && !waiting.has(each));
    await settlePushes(this.pool, lease, [], done, this.config.push.maxAttempts);
    await this.sendAll(channel, { lease, deadlineMs, listings }, [...allowed], run);
  }

  /** A listing's answers are settled together, as it is done only when all of its locations are. */
  private async sendAll(
    channel: ReadyChannel,
    { lease, deadlineMs }: Claim,
    pushes: readonly PlannedPush[],
    run: PushRun & { failures: number },
  ): Promise<void> {
    const outcomes: PushOutcome[] = [];
    for (const batch of companyOf(pushes, channel.capabilities.pushBatchSize)) {
      if (run.retryAfterMs !== undefined || channel.deadline.busy) break;
      const held = await beginPushes(this.pool, claimOf(channel, lease), batch);
      const mine = batch.filter(({ listing }) => held.has(listing.id));
      if (mine.length === 0) continue;
      const answered = await sendTraced(channel, mine, deadlineMs);
      run.sent += mine.length;
      this.judge(channel, answered, run);
      outcomes.push(...answered);
    }
    const { maxAttempts } = this.config.push;
    const parked = await settlePushes(this.pool, lease, outcomes, [], maxAttempts);
    if (parked > 0)
      this.log.error(`${channel.name}: ${parked} listings were tried too often and wait for a person`);
    const tried = new Set(outcomes.map(({ push }) => push.listing.id));
    const untried = pushes.map(({ listing }) => listing.id).filter((id) => !tried.has(id));
    await releaseListings(this.pool, lease, untried);
  }

  /** Whether the run goes on: a channel that failed twice in a row, or said until when, is left alone. */
  private judge({ name }: ReadyChannel, outcomes: PushOutcome[], run: PushRun & { failures: number }): void {
    run.ordersFirst ||= outcomes.some((outcome) => outcome.ordersFirst);
    const failed = outcomes.every(({ state, blame }) => state === 'failed' && blame !== 'listing');
    if (!failed) {
      run.failures = 0;
      return;
    }
    const { reason, retryAfterMs } = outcomes[0]!;
    this.log.warn(`${name}: a batch of ${outcomes.length} failed: ${reason}`);
    run.failures++;
    if (retryAfterMs !== undefined || run.failures >= FAILURES_IN_A_ROW)
      run.retryAfterMs = retryAfterMs ?? RETRY_AFTER_MS;
  }

  /** `live` sends all, `observe` nothing, `pilot` the listings with a SKU that carries one of its tags. */
  private async allowedIn({ config }: ReadyChannel, due: readonly PlannedPush[]): Promise<Set<PlannedPush>> {
    if (config.mode === 'live') return new Set(due);
    if (config.mode === 'observe') return new Set();
    const skuIds = due.flatMap(({ listing }) => listing.components.map((component) => component.skuId));
    const tagged = await this.catalog.skusTagged(skuIds, config.pilotTags);
    return new Set(due.filter(({ listing }) => listing.components.some(({ skuId }) => tagged.has(skuId))));
  }
}

/** A batch that answers one cause goes on in its trace; one that answers several is linked with each. */
function sendTraced(
  channel: ReadyChannel,
  pushes: readonly PlannedPush[],
  deadlineMs: number,
): Promise<PushOutcome[]> {
  const start = () => ({
    name: 'push listings',
    ...causedBy(pushes.flatMap(({ claimed }) => claimed.traces ?? [])),
    facts: { 'onhand.channel': channel.name, 'onhand.push.listings': pushes.length },
  });
  return traced(start, async (span) => {
    const outcomes = await sendBatch(channel, pushes, deadlineMs);
    const taken = outcomes.filter(({ state }) => state === 'applied' || state === 'accepted');
    span.add({ 'onhand.push.taken': taken.length });
    return outcomes;
  });
}

/** Those whose channel takes no change of them for now: it is asked only where one of them comes to show 0. */
function waitingOf(planned: readonly PlannedPush[]): Set<ClaimedListing> {
  const waiting = new Set(planned.map(({ claimed }) => claimed).filter(({ waits }) => waits));
  for (const { claimed, update } of planned) if (update.quantityUnits === 0) waiting.delete(claimed);
  return waiting;
}

function claimOf(channel: ReadyChannel, lease: string) {
  return { channel: channel.name, lease, follows: followsPushes(channel) };
}
