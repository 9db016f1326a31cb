import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ChannelCapabilities,
  ChannelUnavailableError,
  isChannelError,
  isHeldBack,
  type PushResult,
} from '../channel-api';
import type { ReadyChannel } from '../channels/channels.service';
import type { PlannedPush } from './push-plan';

/** What became of one update. */
export interface PushOutcome {
  push: PlannedPush;
  /** `observed`: nothing was sent, and nothing is to be. */
  state: 'applied' | 'accepted' | 'rejected' | 'stale' | 'failed' | 'observed';
  reason?: string;
  receipt?: string;
  shownUnits?: number;
  /**
   * What an update that was not taken is counted against: the listing, which is parked when it is refused too
   * often, the batch, which goes in smaller company next time, or nobody.
   */
  blame?: 'listing' | 'batch' | 'nobody';
  /** A rejection that the same update would meet again. */
  final?: boolean;
  retryAfterMs?: number;
  /** It waits for the listing's own budget of changes. */
  waits?: boolean;
  /** An order that we have not heard of has to be read before the listing is pushed again. */
  ordersFirst?: boolean;
}

/** Answers for a row by which a plugin says that it was the channel that failed. */
const CHANNEL_AT_FAULT = ['channel-unavailable', 'channel-unauthorized', 'channel-address'];

/** Nothing was sent: the claim ended first. */
const TOO_LATE = 'too-late';

/** The host's grace to record an answer before its lease ends. */
const RECORDING_MS = 1_000;

/**
 * Sends one batch. A call that is still waiting, for a token say, when `deadlineMs` (of `performance.now()`)
 * comes is not sent any more: another worker may have the listings by then. Never throws.
 */
export async function sendBatch(
  channel: ReadyChannel,
  pushes: readonly PlannedPush[],
  deadlineMs: number,
): Promise<PushOutcome[]> {
  try {
    return await answersOf(channel, pushes, deadlineMs);
  } catch (error) {
    if (isChannelError(error)) {
      const { message: reason, retryAfterMs, code } = error;
      const blame = code === TOO_LATE || isHeldBack(error) ? 'nobody' : 'batch';
      return pushes.map((push) => ({ push, state: 'failed', reason, retryAfterMs, blame }));
    }
    const [only] = pushes;
    if (only && pushes.length === 1)
      return [{ push: only, state: 'failed', reason: textOf(error), blame: 'listing' }];
    // The plugin did not expect one of them. Which one is found by halves; quantities are absolute, so that
    // one sent twice does no harm.
    const middle = Math.ceil(pushes.length / 2);
    const first = await sendBatch(channel, pushes.slice(0, middle), deadlineMs);
    return [...first, ...(await sendBatch(channel, pushes.slice(middle), deadlineMs))];
  }
}

async function answersOf(
  { channel, capabilities, deadline }: ReadyChannel,
  pushes: readonly PlannedPush[],
  deadlineMs: number,
): Promise<PushOutcome[]> {
  const updates = pushes.map(({ update }) => update);
  const answered = await answerBefore(deadlineMs, () =>
    deadline.run(deadlineMs - RECORDING_MS, async () => channel.pushInventory(updates)),
  );
  const results = new Map(answered.map((result) => [result.pushId, result]));
  return pushes.map((push) => outcomeOf(push, results.get(push.update.pushId), capabilities));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Listings whose batches failed go in ever smaller company, so that one that makes the channel fail is alone
 * in the end and the others are through.
 */
export function companyOf(pushes: readonly PlannedPush[], batchSize: number): PlannedPush[][] {
  const byFailures = new Map<number, PlannedPush[]>();
  for (const push of pushes) {
    const { batchFailures } = push.claimed;
    if (!byFailures.has(batchFailures)) byFailures.set(batchFailures, []);
    byFailures.get(batchFailures)!.push(push);
  }
  return [...byFailures].flatMap(([failures, group]) => {
    const size = Math.max(1, Math.floor(batchSize / 2 ** failures));
    const count = Math.ceil(group.length / size);
    return Array.from({ length: count }, (_, index) => group.slice(index * size, (index + 1) * size));
  });
}

/** Gives up on a plugin that does not come back before the claim on its listings ends. */
async function answerBefore(deadlineMs: number, push: () => Promise<PushResult[]>): Promise<PushResult[]> {
  const giveUp = new AbortController();
  const late = sleep(Math.max(0, deadlineMs - performance.now()), undefined, { signal: giveUp.signal }).then(
    () => {
      throw new ChannelUnavailableError(
        'the plugin did not come back in time; the push may have been applied',
      );
    },
  );
  late.catch(() => undefined);
  try {
    return await Promise.race([push(), late]);
  } finally {
    giveUp.abort();
  }
}

/** A row that was held back for the channel's limit or breaker says nothing of itself or its company. */
function blameFor(code: string): PushOutcome['blame'] {
  if (isHeldBack({ code })) return 'nobody';
  return CHANNEL_AT_FAULT.includes(code) ? 'batch' : 'listing';
}

function outcomeOf(
  push: PlannedPush,
  result: PushResult | undefined,
  { readsOrders }: ChannelCapabilities,
): PushOutcome {
  if (!result)
    return { push, state: 'failed', reason: 'the plugin answered nothing for this update', blame: 'listing' };
  switch (result.outcome) {
    case 'applied':
      return { push, state: 'applied' };
    case 'accepted':
      return { push, state: 'accepted', receipt: result.receipt };
    case 'stale':
      return {
        push,
        state: 'stale',
        reason: `the channel shows ${result.shownUnits}`,
        shownUnits: result.shownUnits,
        blame: 'nobody',
        ordersFirst: readsOrders,
      };
    case 'waiting':
      return {
        push,
        state: 'rejected',
        reason: result.reason,
        blame: 'nobody',
        waits: true,
        retryAfterMs: result.waitMs,
      };
    case 'skipped':
      return { push, state: 'observed', reason: result.reason };
    case 'rejected':
      return {
        push,
        state: 'rejected',
        reason: `${result.code}: ${result.reason}`,
        blame: blameFor(result.code),
        final: !result.retryable,
      };
  }
}
