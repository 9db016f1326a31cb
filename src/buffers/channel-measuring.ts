import type { Pool } from 'pg';
import { type ChannelSignals, NO_SIGNALS } from './needs';

/** What a channel did in the time that was looked at. */
interface Sample {
  channel: string;
  /** Null where nothing was pushed and answered. */
  p99Ms: number | null;
  confirmationMs: number | null;
  ordered: number;
  cancelled: number;
}

interface Measured extends ChannelSignals {
  channel: string;
  ordered: number;
  cancelled: number;
}

/** How a channel's figures moved, as far as buffers go by it. */
export interface SignalChange {
  channel: string;
  before: ChannelSignals;
  after: ChannelSignals;
  latency: 'rose' | 'fell' | 'same';
  cancellations: boolean;
}

/** A change by less is noise. */
const NOISE = 0.2;
const LEAST_LATENCY_MS = 100;
const LEAST_CONFIRMATION_MS = 1_000;
/** A share of fewer units says little. */
const ENOUGH_UNITS = 50;
const MOST_CANCEL_PERCENT = 50;

/**
 * Looks at pushes, orders and cancellations recorded between two moments, and stores what changed by more than
 * noise. Rises are believed at once and falls step by step, so that one quiet minute does not release a buffer.
 */
export async function measureChannels(pool: Pool, since: Date, until: Date): Promise<SignalChange[]> {
  const samples = (await pool.query<Sample>(SAMPLE, [since, until])).rows;
  if (samples.length === 0) return [];
  const stored = await pool.query<Measured>(READ, [samples.map(({ channel }) => channel), until]);
  const known = new Map(stored.rows.map((row) => [row.channel, row]));
  const moved = samples.map((sample) => {
    const before = known.get(sample.channel) ?? {
      ...NO_SIGNALS,
      channel: sample.channel,
      ordered: 0,
      cancelled: 0,
    };
    return { before, after: measuredOf(before, sample) };
  });
  await pool.query(STORE, [JSON.stringify(moved.map(({ after }) => after)), until]);
  return moved.map(changeOf).filter(({ latency, cancellations }) => latency !== 'same' || cancellations);
}

function measuredOf(before: Measured, sample: Sample): Measured {
  const ordered = before.ordered + sample.ordered;
  const cancelled = before.cancelled + sample.cancelled;
  const share = Math.min(MOST_CANCEL_PERCENT, Math.round((100 * cancelled) / Math.max(ordered, 1)));
  return {
    channel: before.channel,
    syncP99Ms: smoothed(before.syncP99Ms, sample.p99Ms, LEAST_LATENCY_MS),
    confirmationMs: smoothed(before.confirmationMs, sample.confirmationMs, LEAST_CONFIRMATION_MS) ?? 0,
    cancelPercent: ordered < ENOUGH_UNITS ? before.cancelPercent : share,
    ordered,
    cancelled,
  };
}

/** What is gone by from now on: the sample where it is higher, a step towards it where it is lower. */
export function smoothed(before: number | null, sample: number | null, least: number): number | null {
  if (sample === null) return before;
  if (before === null) return sample;
  if (Math.abs(sample - before) < Math.max(least, before * NOISE)) return before;
  return Math.max(sample, before * (1 - NOISE));
}

function changeOf({ before, after }: { before: Measured; after: Measured }): SignalChange {
  const exposure = ({ syncP99Ms, confirmationMs }: Measured) => (syncP99Ms ?? 0) + confirmationMs;
  const by = exposure(after) - exposure(before);
  return {
    channel: after.channel,
    before: signalsIn(before),
    after: signalsIn(after),
    latency:
      by > 0 || (before.syncP99Ms === null && after.syncP99Ms !== null) ? 'rose' : by < 0 ? 'fell' : 'same',
    cancellations: after.cancelPercent !== before.cancelPercent,
  };
}

function signalsIn({ syncP99Ms, cancelPercent, confirmationMs }: Measured): ChannelSignals {
  return { syncP99Ms, cancelPercent, confirmationMs };
}

/**
 * A push that waited through an outage says nothing of how fast the channel is. An order that we heard of a day
 * late was imported. A cancellation within the hour is a buyer's second thought.
 */
const SAMPLE = `
  WITH pushed AS (
    SELECT p.channel, percentile_disc(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM coalesce(p.confirmed_at, p.answered_at) - p.dirty_since) * 1000) AS p99
      FROM pushes p LEFT JOIN breakers b ON b.channel = p.channel
     WHERE p.sent_at > $1 AND p.sent_at <= $2 AND p.answered_at IS NOT NULL AND p.dirty_since > coalesce(b.since, '-infinity')
       AND p.state IN ('applied', 'accepted', 'confirmed')
     GROUP BY p.channel
  ), sold AS (
    SELECT e.channel, sum(quantity) FILTER (WHERE e.type = 'RESERVE') AS ordered,
           sum(quantity) FILTER (WHERE e.type = 'RELEASE' AND e.recorded_at - r.created_at > interval '1 hour') AS cancelled,
           percentile_disc(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM e.recorded_at - e.occurred_at) * 1000)
             FILTER (WHERE e.type = 'RESERVE' AND e.recorded_at - e.occurred_at BETWEEN interval '0' AND interval '1 day') AS lag
      FROM ledger e LEFT JOIN reservations r ON e.type = 'RELEASE' AND r.id = e.reservation_id
     WHERE e.recorded_at > $1 AND e.recorded_at <= $2 AND e.channel IS NOT NULL AND e.type IN ('RESERVE', 'RELEASE')
     GROUP BY e.channel
  )
  SELECT coalesce(pushed.channel, sold.channel) AS channel, p99::float8 AS "p99Ms", lag::float8 AS "confirmationMs",
         coalesce(ordered, 0)::float8 AS ordered, coalesce(cancelled, 0)::float8 AS cancelled
    FROM pushed FULL JOIN sold ON sold.channel = pushed.channel`;

const WEIGHT = `power(2, -extract(epoch FROM $2::timestamptz - measured_at)::float8 / (7 * 86400))`;

const READ = `
  SELECT channel, sync_p99_ms AS "syncP99Ms", confirmation_ms AS "confirmationMs", cancel_percent AS "cancelPercent",
         ordered_units * ${WEIGHT} AS ordered, cancelled_units * ${WEIGHT} AS cancelled
    FROM channel_signals WHERE channel = ANY($1)`;

const STORE = `
  INSERT INTO channel_signals (channel, sync_p99_ms, confirmation_ms, cancel_percent, ordered_units, cancelled_units, measured_at)
  SELECT channel, "syncP99Ms", "confirmationMs", "cancelPercent", ordered, cancelled, $2
    FROM jsonb_to_recordset($1::jsonb) AS s (channel text, "syncP99Ms" float8, "confirmationMs" float8, "cancelPercent" float8, ordered float8, cancelled float8)
  ON CONFLICT (channel) DO UPDATE SET sync_p99_ms = excluded.sync_p99_ms, confirmation_ms = excluded.confirmation_ms,
    cancel_percent = excluded.cancel_percent, ordered_units = excluded.ordered_units, cancelled_units = excluded.cancelled_units,
    measured_at = excluded.measured_at`;
