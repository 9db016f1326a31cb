import type { BufferRules } from './buffer-rules';
import type { BufferChange, BufferRow, RateRow } from './buffer-rows';
import { type ChannelSignals, isSame, needsOf, nextRise, NO_NEEDS, settle } from './needs';
import { HALF_LIFE_MS, HOUR_MS, signalsAt } from './sales-rate';

export interface RateContext {
  rules: BufferRules;
  nowMs: number;
  signalsOf: (channel: string) => ChannelSignals;
}

export interface DecidedRate {
  changes: BufferChange[];
  /** Channels that get more, or less. */
  raised: string[];
  released: string[];
  /** When to look again although nothing was sold. */
  dueMs: number;
  /** Below so many units an hour a sale changes nothing. */
  raiseAt: number;
}

/** SKUs are looked at some time in the hour, not all of them when it begins. */
const SPREAD = 3_571;

/** What is withheld of one SKU at one location from now on, from each channel that sells it. Pure. */
export function decideRate(
  rate: RateRow,
  rows: readonly BufferRow[],
  channels: ReadonlySet<string>,
  { rules, nowMs, signalsOf }: RateContext,
): DecidedRate {
  const sales = signalsAt(rate, nowMs);
  const decided: DecidedRate = {
    changes: [],
    raised: [],
    released: [],
    dueMs: nextWeek(rate, nowMs),
    raiseAt: Infinity,
  };
  const due = (atMs: number) => (decided.dueMs = Math.min(decided.dueMs, atMs));
  for (const channel of channels) {
    const policy = rules.policyFor(channel, rate.skuId);
    const before = rows.find((row) => row.channel === channel);
    const signals = signalsOf(channel);
    const settled = settle(before, needsOf(policy, sales, signals), policy, nowMs);
    decided.raiseAt = Math.min(decided.raiseAt, nextRise(policy, sales, signals));
    // Who is a slow mover matters only where slow movers have a floor.
    const isSlow = settled.isSlow || policy.floorPercent.value === 0;
    const keep = settled.needs.length > 0 || !isSlow;
    if (settled.isReleasing && keep) due(nowMs + policy.releaseSeconds.value * 1000);
    else if (keep) due(nextHour(rate, nowMs));
    if (isSame(before ?? NO_NEEDS, { needs: settled.needs, isSlow })) continue;
    const { needs, releasedMs } = settled;
    const { skuId, locationId } = rate;
    decided.changes.push({
      row: { skuId, locationId, channel, needs, isSlow, releasedMs },
      before: toldOf(before),
      keep,
    });
    (settled.released > 0 ? decided.released : decided.raised).push(channel);
  }
  for (const row of rows)
    if (!channels.has(row.channel))
      decided.changes.push({ row: { ...row, ...NO_NEEDS }, before: toldOf(row), keep: false });
  return decided;
}

function toldOf(row: BufferRow | undefined) {
  return row && { needs: row.needs, isSlow: row.isSlow };
}

/** In the half-life of what is usual; not moved with each sale. */
function nextWeek({ dueMs }: RateRow, nowMs: number): number {
  return dueMs !== null && dueMs > nowMs + HALF_LIFE_MS / 2 ? dueMs : nowMs + HALF_LIFE_MS;
}

function nextHour({ skuId }: RateRow, nowMs: number): number {
  const spreadMs = ((skuId * SPREAD) % 3_600) * 1000;
  return (Math.floor((nowMs - spreadMs) / HOUR_MS) + 1) * HOUR_MS + spreadMs;
}
