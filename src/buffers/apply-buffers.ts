import type { EffectivePolicy } from './effective-policy';
import type { ChannelSignals, Needs, NeedKind } from './needs';
import { shareAt } from './time-window';

export type BufferKind =
  'static' | 'velocity' | 'confirmation' | 'cancellation' | 'spike' | 'window' | 'stale' | 'hold';

/** Units withheld from a channel, with the reason and the policy that says so. */
export interface AppliedBuffer {
  kind: BufferKind;
  units: number;
  policy: string;
  reason: string;
}

/** What an operator withholds by hand; the larger of units and percent counts. */
export interface Hold {
  id: number;
  units: number;
  percent: number;
  reason: string;
  placedBy: string;
  /** ISO 8601; null until somebody ends it. */
  until: string | null;
}

/** All that decides what is withheld of one SKU from one channel. */
export interface BufferInputs {
  policy: EffectivePolicy;
  /** What sales ask for, at each of the locations that serve the channel. */
  needs: readonly Needs[];
  channel: ChannelSignals;
  /** Why what the channel sells is not known; absent while it is. */
  stale?: string;
  holds?: readonly Hold[];
  nowMs: number;
}

/**
 * What is withheld of so many available units, by component, together never more than there is. The base is the
 * largest of units, percent and velocity; the others come on top. What follows from a rule alone leaves a slow
 * mover its floor; a window, a hold and a channel that is away do not. Components of 0 units are left out.
 */
export function buffersOf(available: number, inputs: BufferInputs): AppliedBuffer[] {
  const there = Math.max(0, available);
  const isSlow = inputs.needs.every((needs) => needs.isSlow);
  const kept = isSlow ? shareOf(there, inputs.policy.floorPercent.value) : 0;
  const byRule = withhold(there - kept, [
    ...baseOf(available, inputs),
    ...cancellationOf(there, inputs),
    ...spikeOf(there, inputs),
  ]);
  const floored = kept > 0 ? noteFloor(byRule, kept, inputs.policy) : byRule;
  const withheld = floored.reduce((sum, { units }) => sum + units, 0);
  const byDecision = [...windowOf(there, inputs), ...staleOf(there, inputs), ...holdsOf(there, inputs)];
  return [...floored, ...withhold(there - withheld, byDecision)].map(({ kind, units, policy, reason }) => ({
    kind,
    units,
    policy,
    reason,
  }));
}

/** In their order, as far as there is something left. */
function withhold(left: number, asked: readonly AppliedBuffer[]): (AppliedBuffer & { asked: number })[] {
  let rest = left;
  return asked
    .map((each) => {
      const units = Math.min(each.units, rest);
      rest -= units;
      return { ...each, units, asked: each.units };
    })
    .filter(({ units }) => units > 0);
}

function noteFloor(
  buffers: readonly (AppliedBuffer & { asked: number })[],
  kept: number,
  { floorPercent: { value, policy } }: EffectivePolicy,
): AppliedBuffer[] {
  const floor = `no more, so that a slow mover keeps ${value} % (${kept} units) on sale (${policy})`;
  return buffers.map(({ asked, ...each }) =>
    asked > each.units ? { ...each, reason: `${each.reason}; ${floor}` } : each,
  );
}

function baseOf(available: number, { policy, needs }: BufferInputs): AppliedBuffer[] {
  const { units, percent } = policy;
  const share = shareOf(available, percent.value);
  const isShare = share > units.value;
  const source = isShare ? percent.policy : units.policy;
  const fixed = isShare
    ? `${percent.value} % of ${available} available (${source})`
    : `${units.value} units (${source})`;
  const largest = Math.max(units.value, share);
  const velocity = sumOf(needs, 'velocity');
  const beside = largest > 0 ? `, ${largest} of them withheld already` : '';
  return [
    { kind: 'static', units: largest, policy: source, reason: fixed },
    ...asked('velocity', velocity.amount - largest, velocity, beside),
    ...asked('confirmation', sumOf(needs, 'confirmation').amount, sumOf(needs, 'confirmation')),
  ];
}

function asked(kind: BufferKind, units: number, from: Told, beside = ''): AppliedBuffer[] {
  return units > 0
    ? [{ kind, units, policy: from.policy, reason: `${from.reason}${beside} (${from.policy})` }]
    : [];
}

interface Told {
  amount: number;
  policy: string;
  reason: string;
}

/** Over the locations that serve the channel: each expects sales of its own. */
function sumOf(all: readonly Needs[], kind: NeedKind): Told {
  const found = all.flatMap(({ needs }) => needs.filter((need) => need.kind === kind));
  const amount = found.reduce((sum, need) => sum + need.amount, 0);
  const reason = [...new Set(found.map((need) => need.reason))].join('; ');
  return { amount, policy: found[0]?.policy ?? '', reason };
}

function cancellationOf(there: number, { policy, channel }: BufferInputs): AppliedBuffer[] {
  const { value, policy: name } = policy.cancelPercent;
  const percent = value === 'measured' ? channel.cancelPercent : value;
  const units = shareOf(there, percent);
  const source = value === 'measured' ? 'as measured' : 'as set';
  const reason = `${percent} % of ${there} available, as the channel cancels that share late, ${source} (${name})`;
  return [{ kind: 'cancellation', units, policy: name, reason }];
}

/** The largest of the locations' counts for all of them: buyers do not choose one. */
function spikeOf(there: number, { needs }: BufferInputs): AppliedBuffer[] {
  const spikes = needs.flatMap((each) => each.needs.filter(({ kind }) => kind === 'spike'));
  const [largest] = spikes.sort((a, b) => b.amount - a.amount);
  return largest ? asked('spike', shareOf(there, largest.amount), largest) : [];
}

/** Of several windows at once the one that withholds most. */
function windowOf(there: number, { policy: { windows }, nowMs }: BufferInputs): AppliedBuffer[] {
  const open = windows.value.map((window) => {
    const share = shareAt(window, nowMs);
    const whole = Math.max(window.units, shareOf(there, window.percent));
    const step = share === 1 ? `until ${window.to}` : `being released since ${window.to}`;
    return {
      units: Math.ceil(whole * share),
      reason: `window from ${window.from}, ${step} (${windows.policy})`,
    };
  });
  const [largest] = open.sort((a, b) => b.units - a.units);
  return largest ? [{ kind: 'window', policy: windows.policy, ...largest }] : [];
}

function staleOf(
  there: number,
  { policy: { staleUnits, stalePercent }, stale }: BufferInputs,
): AppliedBuffer[] {
  if (stale === undefined) return [];
  const share = shareOf(there, stalePercent.value);
  const { policy } = share > staleUnits.value ? stalePercent : staleUnits;
  return [{ kind: 'stale', units: Math.max(staleUnits.value, share), policy, reason: stale }];
}

function holdsOf(there: number, { holds = [] }: BufferInputs): AppliedBuffer[] {
  return holds.map(({ id, units, percent, reason, placedBy, until }) => ({
    kind: 'hold',
    units: Math.max(units, shareOf(there, percent)),
    policy: `hold ${id}`,
    reason: `${reason} (by ${placedBy}, ${until === null ? 'until ended' : `until ${until}`})`,
  }));
}

function shareOf(available: number, percent: number): number {
  return Math.ceil((Math.max(0, available) * percent) / 100);
}
