import type { EffectivePolicy } from './effective-policy';
import { HOUR_MS, type SalesSignals } from './sales-rate';

/** What is measured of a channel. */
export interface ChannelSignals {
  /** From a commit to the channel having taken the quantity, P99; null before anything was measured. */
  syncP99Ms: number | null;
  /** Of the units ordered there, those cancelled an hour or more after they were reserved, in percent. */
  cancelPercent: number;
  /** From an order placed to our knowing of it, P90. */
  confirmationMs: number;
}

export const NO_SIGNALS: ChannelSignals = { syncP99Ms: null, cancelPercent: 0, confirmationMs: 0 };

export type NeedKind = 'velocity' | 'confirmation' | 'spike';

/** What sales ask to be withheld of one SKU at one location from one channel; `spike` in percent, the others in units. */
export interface Need {
  kind: NeedKind;
  amount: number;
  policy: string;
  reason: string;
}

export interface Needs {
  needs: Need[];
  isSlow: boolean;
}

/** Of a SKU that never sold. */
export const NO_NEEDS: Needs = { needs: [], isSlow: true };

/** Beyond that it is an outage, which staleness sees to. */
export const LONGEST_LATENCY_MS = 600_000;
/** Expected sales below this are taken for none; each SKU that ever sold expects some. */
const NOT_WORTH_A_UNIT = 0.05;
/** What a spike is compared with takes a day to know. */
const HOURS_TO_KNOW = 24;

/** Pure: the same figures withhold the same, and more sales or a slower channel never less. */
export function needsOf(policy: EffectivePolicy, sales: SalesSignals, channel: ChannelSignals): Needs {
  const perHour = Math.max(sales.hourUnits, sales.usualPerHour);
  const needs = [
    velocityNeed(policy, perHour, channel),
    confirmationNeed(policy, perHour, channel),
    spikeNeed(policy, sales),
  ].filter((need) => need !== null);
  const perDay = Math.max(sales.hourUnits, sales.usualPerHour * 24);
  return { needs, isSlow: perDay < policy.slowPerDay.value };
}

/** Rounded up: nobody sells a part of a unit. */
function expectedUnits(perHour: number, durationMs: number): number {
  const units = (perHour * durationMs) / HOUR_MS;
  return units < NOT_WORTH_A_UNIT ? 0 : Math.ceil(units);
}

/** What is usual may halve before a SKU is looked at again. */
const SPIKE_MARGIN = 0.5;

/**
 * Units an hour, in the last one or usually, below which `needsOf` asks for no more than it does now. What is usual
 * may fall meanwhile by half, and no further.
 */
export function nextRise(policy: EffectivePolicy, sales: SalesSignals, channel: ChannelSignals): number {
  const perHour = Math.max(sales.hourUnits, sales.usualPerHour);
  const rises = [
    policy.syncLatencies.value * latencyOf(policy, channel),
    confirmationOf(policy, channel),
  ].map(
    (durationMs) => (Math.max(expectedUnits(perHour, durationMs), NOT_WORTH_A_UNIT) * HOUR_MS) / durationMs,
  );
  const perDay = Math.max(sales.hourUnits, sales.usualPerHour * 24);
  const isFloored = policy.floorPercent.value > 0 && perDay < policy.slowPerDay.value;
  const usual = policy.spikeTimes.value * sales.usualPerHour * SPIKE_MARGIN;
  return Math.min(
    ...rises,
    isFloored ? policy.slowPerDay.value / 24 : Infinity,
    policy.spikePercent.value > 0 ? Math.max(policy.spikeUnits.value, usual) : Infinity,
  );
}

function latencyOf(policy: EffectivePolicy, { syncP99Ms }: ChannelSignals): number {
  return Math.min(syncP99Ms ?? policy.assumedLatencySeconds.value * 1000, LONGEST_LATENCY_MS);
}

function confirmationOf(
  { confirmationSeconds: { value } }: EffectivePolicy,
  channel: ChannelSignals,
): number {
  return value === 'measured' ? channel.confirmationMs : value * 1000;
}

function velocityNeed(policy: EffectivePolicy, perHour: number, channel: ChannelSignals): Need | null {
  const { value: latencies, policy: name } = policy.syncLatencies;
  const p99Ms = latencyOf(policy, channel);
  const amount = expectedUnits(perHour, latencies * p99Ms);
  if (amount === 0) return null;
  const source = channel.syncP99Ms === null ? 'assumed' : 'measured';
  return {
    kind: 'velocity',
    amount,
    policy: name,
    reason: `${amount} units expected to be sold in ${latencies} × ${seconds(p99Ms)} (P99 sync latency, ${source}) at ${rate(perHour)}`,
  };
}

function confirmationNeed(policy: EffectivePolicy, perHour: number, channel: ChannelSignals): Need | null {
  const { value, policy: name } = policy.confirmationSeconds;
  const windowMs = confirmationOf(policy, channel);
  const amount = expectedUnits(perHour, windowMs);
  if (amount === 0) return null;
  const source = value === 'measured' ? 'measured' : 'set';
  return {
    kind: 'confirmation',
    amount,
    policy: name,
    reason: `${amount} units expected to be sold in the ${seconds(windowMs)} before the channel tells of an order (${source}) at ${rate(perHour)}`,
  };
}

function spikeNeed(
  policy: EffectivePolicy,
  { hourUnits, usualPerHour, knownHours }: SalesSignals,
): Need | null {
  const { value: amount, policy: name } = policy.spikePercent;
  const isSpike =
    knownHours >= HOURS_TO_KNOW &&
    hourUnits >= policy.spikeUnits.value &&
    hourUnits >= policy.spikeTimes.value * usualPerHour;
  if (amount === 0 || !isSpike) return null;
  return {
    kind: 'spike',
    amount,
    policy: name,
    reason: `${amount} % in a spike: ${short(hourUnits)} units in the last hour, usually ${short(usualPerHour)}`,
  };
}

/** What is stored for a SKU, a location and a channel. */
export interface StoredNeeds extends Needs {
  /** When something was last released, ms since 1970. */
  releasedMs: number;
}

export interface Settled extends StoredNeeds {
  /** Something is still to be released. */
  isReleasing: boolean;
  /** Needs that were lowered now. */
  released: number;
}

/**
 * What is withheld from now on: at once where more is needed, and step by step where less is. `nowMs` is the time
 * of the decision; a step is due `releaseSeconds` after the one before.
 */
export function settle(
  stored: StoredNeeds | undefined,
  target: Needs,
  policy: EffectivePolicy,
  nowMs: number,
): Settled {
  if (!stored) return { ...target, releasedMs: nowMs, isReleasing: false, released: 0 };
  const isDue = nowMs - stored.releasedMs >= policy.releaseSeconds.value * 1000;
  const lowered = stored.needs.filter((need) => amountOf(target, need.kind) < need.amount);
  const kept = lowered.flatMap((need) => {
    const wanted = target.needs.find(({ kind }) => kind === need.kind);
    return releasedNeed(need, wanted, isDue ? policy.releasePercent.value : 0);
  });
  const raised = target.needs.filter(({ kind }) => !lowered.some((need) => need.kind === kind));
  const needs = [...raised, ...kept].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const isSlow = target.isSlow && (stored.isSlow || (isDue && kept.length === 0));
  const isReleasing =
    isSlow !== target.isSlow || needs.some((need) => need.amount > amountOf(target, need.kind));
  const released = isDue ? lowered.length : 0;
  const isRaised = raised.some((need) => need.amount > amountOf(stored, need.kind));
  const releasedMs = released > 0 || isRaised ? nowMs : stored.releasedMs;
  return { needs, isSlow, isReleasing, released, releasedMs };
}

/** In the order they are told. */
const ORDER: readonly NeedKind[] = ['velocity', 'confirmation', 'spike'];

function amountOf({ needs }: Needs, kind: NeedKind): number {
  return needs.find((need) => need.kind === kind)?.amount ?? 0;
}

function releasedNeed(need: Need, wanted: Need | undefined, percent: number): Need[] {
  if (percent === 0) return [need];
  const goal = wanted?.amount ?? 0;
  const amount = Math.max(goal, need.amount - Math.max(1, Math.ceil(((need.amount - goal) * percent) / 100)));
  if (amount === goal) return wanted ? [wanted] : [];
  const unit = need.kind === 'spike' ? ' %' : '';
  const reason = `${amount}${unit} being released, down to ${goal}${unit}`;
  return [{ ...need, amount, reason, policy: wanted?.policy ?? need.policy }];
}

/** Whether the two withhold the same; reasons may differ. */
export function isSame(a: Needs, b: Needs): boolean {
  return (
    a.isSlow === b.isSlow &&
    a.needs.length === b.needs.length &&
    a.needs.every(({ kind, amount, policy }, at) => {
      const other = b.needs[at]!;
      return other.kind === kind && other.amount === amount && other.policy === policy;
    })
  );
}

function seconds(durationMs: number): string {
  return `${short(durationMs / 1000)} s`;
}

function rate(perHour: number): string {
  return `${short(perHour)} an hour`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
