import type { Pool } from 'pg';
import type { Facts } from './judge';

export const DRIFT_CAUSES = [
  'drift',
  'not-applied',
  'channel-edit',
  'unseen-order',
  'orders-unread',
  'missing',
  'unmapped',
] as const;

export type DriftCause = (typeof DRIFT_CAUSES)[number];

/** A listing, at one of its channel's locations; '' stands for the channel as a whole. */
export interface Place {
  listingId: number;
  channelLocation: string;
}

export interface Finding {
  channelSku: string;
  channelLocation: string;
  cause: DriftCause;
  shown: number | null;
  expected: number | null;
  pushed?: number | null;
  pushedAt?: Date | null;
  versions?: Record<string, Record<string, number>>;
  /** It is pushed again for it. */
  corrected: boolean;
}

/** A listing that was pushed again so often within a day, and shows something else again, is left to a person. */
export const CORRECTIONS_BEFORE_ESCALATION = 3;
const KEPT_DAYS = 90;

/** The rows of `drifts`, and what is read of other rooms' tables to judge by. */
export class DriftRecords {
  constructor(private readonly pool: Pool) {}

  async now(): Promise<Date> {
    const { rows } = await this.pool.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    return rows[0]!.now;
  }

  /** In the order of the places. */
  async facts(places: readonly Place[]): Promise<Facts[]> {
    const { rows } = await this.pool.query<FactRow>(FACTS, [
      places.map((place) => place.listingId),
      places.map((place) => place.channelLocation),
    ]);
    return rows.map(({ state, quantity, previous, answeredAt, ...facts }) => ({
      ...facts,
      lastPush: state === null ? null : { state, quantity: quantity!, previous, answeredAt },
    }));
  }

  /** Answers which of them are left to a person now, and which a person has accepted, by `placeKey`. */
  async record(runId: string, channel: string, findings: readonly Finding[]): Promise<LeftAlone> {
    const left: LeftAlone = { escalated: new Set(), accepted: new Set() };
    if (findings.length === 0) return left;
    const { rows } = await this.pool.query<{ key: string; accepted: boolean }>(RECORD, [
      runId,
      channel,
      JSON.stringify(findings),
      CORRECTIONS_BEFORE_ESCALATION,
    ]);
    for (const { key, accepted } of rows) left[accepted ? 'accepted' : 'escalated'].add(key);
    return left;
  }

  /** These show what they should. */
  async resolve(
    channel: string,
    equal: readonly Pick<Finding, 'channelSku' | 'channelLocation'>[],
  ): Promise<void> {
    if (equal.length === 0) return;
    await this.pool.query(RESOLVE, [
      channel,
      equal.map(({ channelSku }) => channelSku),
      equal.map(({ channelLocation }) => channelLocation),
    ]);
  }

  /** What a whole run did not find again is over. */
  async resolveUnfound(runId: string, channel: string): Promise<void> {
    await this.pool.query(RESOLVE_UNFOUND, [runId, channel]);
    await this.pool.query(FORGET, [channel, KEPT_DAYS]);
  }

  async openUnmapped(channel: string): Promise<number> {
    const { rows } = await this.pool.query<{ count: number }>(
      `SELECT count(*) AS count FROM drifts WHERE channel = $1 AND cause = 'unmapped' AND resolved_at IS NULL`,
      [channel],
    );
    return rows[0]!.count;
  }

  /** Ids of listings that the channel has not shown since, in pages; none that were mapped later than that. */
  async notShownSince(
    channel: string,
    since: Date,
    channelSkus: readonly string[] | null,
    afterId: number,
    limit: number,
  ): Promise<number[]> {
    const { rows } = await this.pool.query<{ id: number }>(NOT_SHOWN, [
      channel,
      since,
      afterId,
      limit,
      channelSkus,
    ]);
    return rows.map(({ id }) => id);
  }

  /** A person leaves these as the channel shows them. Answers those that were open. */
  async accept(
    channel: string,
    channelSkus: readonly string[],
    { actor, reason }: { actor: string; reason: string },
  ): Promise<string[]> {
    const { rows } = await this.pool.query<{ sku: string }>(ACCEPT, [channel, channelSkus, actor, reason]);
    return [...new Set(rows.map(({ sku }) => sku))];
  }

  /** A person wants these tried once more; answers those that were open. */
  async forgive(channel: string, channelSkus: readonly string[]): Promise<string[]> {
    const { rows } = await this.pool.query<{ sku: string }>(FORGIVE, [channel, channelSkus]);
    return [...new Set(rows.map(({ sku }) => sku))];
  }
}

/** Findings that are not put right by themselves. */
export interface LeftAlone {
  escalated: Set<string>;
  accepted: Set<string>;
}

export function placeKey({
  channelSku,
  channelLocation,
}: Pick<Finding, 'channelSku' | 'channelLocation'>): string {
  return `${channelSku}\n${channelLocation}`;
}

interface FactRow extends Omit<Facts, 'lastPush'> {
  state: string | null;
  quantity: number | null;
  previous: number | null;
  answeredAt: Date | null;
}

const FACTS = `
  SELECT d.listing_id IS NOT NULL AND d.parked_at IS NULL AS dirty, d.parked_at IS NOT NULL AS parked,
         q.pushed_units AS "pushedUnits", q.pushed_at AS "pushedAt", q.shown_units AS "shownUnits", q.shown_at AS "shownAt",
         p.state, p.quantity, p.previous, p.answered_at AS "answeredAt"
    FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS x (id, location, nr)
    LEFT JOIN dirty_listings d ON d.listing_id = x.id
    LEFT JOIN shown_quantities q ON q.listing_id = x.id AND q.channel_location = x.location
    LEFT JOIN LATERAL (
      SELECT state, quantity, previous, answered_at FROM pushes
       WHERE listing_id = x.id AND channel_location = x.location AND state <> 'observed' ORDER BY sent_at DESC LIMIT 1) p ON true
   ORDER BY x.nr`;

/** What a person accepted, and is found again just so: it is neither counted nor corrected. */
const STILL_ACCEPTED = `(d.accepted_at IS NOT NULL AND d.resolved_at IS NULL
    AND (d.shown_units, d.expected_units) IS NOT DISTINCT FROM (excluded.shown_units, excluded.expected_units))`;

/** A run that goes on after a crash may find the same again; that counts once. */
const RECORD = `
  WITH recorded AS (
  INSERT INTO drifts AS d (channel, channel_sku, channel_location, cause, shown_units, expected_units, pushed_units, pushed_at,
         versions, since, found_at, run_id, corrections, resolved_at)
  SELECT DISTINCT ON (f."channelSku", f."channelLocation") $2, f."channelSku", f."channelLocation", f.cause, f.shown, f.expected,
         f.pushed, f."pushedAt", coalesce(f.versions, '{}'), clock_timestamp(), clock_timestamp(), $1, f.corrected::int,
         CASE WHEN f.cause = 'unseen-order' THEN clock_timestamp() END
    FROM jsonb_to_recordset($3::jsonb) AS f ("channelSku" text, "channelLocation" text, cause text, shown bigint, expected bigint,
         pushed bigint, "pushedAt" timestamptz, versions jsonb, corrected boolean)
   ORDER BY f."channelSku", f."channelLocation"
  ON CONFLICT (channel, channel_sku, channel_location) DO UPDATE
    SET cause = excluded.cause, shown_units = excluded.shown_units, expected_units = excluded.expected_units,
        pushed_units = excluded.pushed_units, pushed_at = excluded.pushed_at, versions = excluded.versions,
        since = CASE WHEN d.resolved_at IS NULL THEN d.since ELSE excluded.since END,
        found_at = excluded.found_at, run_id = excluded.run_id, resolved_at = excluded.resolved_at,
        times = CASE WHEN d.run_id = excluded.run_id THEN d.times
                     WHEN d.resolved_at < clock_timestamp() - interval '1 day' THEN 1 ELSE d.times + 1 END,
        accepted_at = CASE WHEN ${STILL_ACCEPTED} THEN d.accepted_at END,
        accepted_by = CASE WHEN ${STILL_ACCEPTED} THEN d.accepted_by END,
        accepted_reason = CASE WHEN ${STILL_ACCEPTED} THEN d.accepted_reason END,
        corrections = CASE WHEN ${STILL_ACCEPTED} THEN d.corrections
                           WHEN d.run_id = excluded.run_id THEN greatest(d.corrections, excluded.corrections)
                           WHEN d.resolved_at < clock_timestamp() - interval '1 day' THEN excluded.corrections
                           WHEN d.corrections >= $4 THEN d.corrections ELSE d.corrections + excluded.corrections END,
        escalated_at = CASE WHEN ${STILL_ACCEPTED} THEN d.escalated_at
                            WHEN excluded.corrections = 0 OR d.resolved_at < clock_timestamp() - interval '1 day' THEN NULL
                            WHEN d.run_id <> excluded.run_id AND d.corrections >= $4 THEN coalesce(d.escalated_at, excluded.found_at)
                            ELSE d.escalated_at END
  RETURNING channel_sku || E'\\n' || channel_location AS key, escalated_at, accepted_at)
  SELECT key, accepted_at IS NOT NULL AS accepted FROM recorded WHERE escalated_at IS NOT NULL OR accepted_at IS NOT NULL`;

const ACCEPT = `
  UPDATE drifts SET accepted_at = clock_timestamp(), accepted_by = $3, accepted_reason = $4, escalated_at = NULL, corrections = 0
   WHERE channel = $1 AND channel_sku = ANY($2::text[]) AND resolved_at IS NULL RETURNING channel_sku AS sku`;

const RESOLVE = `
  UPDATE drifts d SET resolved_at = clock_timestamp(), escalated_at = NULL
    FROM unnest($2::text[], $3::text[]) AS s (sku, location)
   WHERE d.channel = $1 AND d.channel_sku = s.sku AND d.channel_location = s.location AND d.resolved_at IS NULL`;

const RESOLVE_UNFOUND = `
  UPDATE drifts SET resolved_at = clock_timestamp(), escalated_at = NULL
   WHERE channel = $2 AND cause IN ('missing', 'unmapped') AND run_id <> $1 AND resolved_at IS NULL`;

const FORGET = `DELETE FROM drifts WHERE channel = $1 AND resolved_at < clock_timestamp() - make_interval(days => $2)`;

// One look into an index for each listing. What was read just now is beyond what the planner knows: of NOT EXISTS it made
// one pass over all of them for each listing.
const NOT_SHOWN = `
  SELECT l.id FROM listings l
   WHERE l.channel = $1 AND l.retired_at IS NULL AND l.created_at < $2 AND l.id > $3
     AND ($5::text[] IS NULL OR l.channel_sku = ANY($5::text[]))
     AND coalesce((SELECT max(q.read_at) FROM shown_quantities q WHERE q.listing_id = l.id) < $2, true)
   ORDER BY l.id LIMIT $4`;

const FORGIVE = `
  UPDATE drifts SET corrections = 0, escalated_at = NULL, accepted_at = NULL, accepted_by = NULL, accepted_reason = NULL
   WHERE channel = $1 AND channel_sku = ANY($2::text[]) AND resolved_at IS NULL RETURNING channel_sku AS sku`;
