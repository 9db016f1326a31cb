import type { DataSource } from 'typeorm';
import { inTransaction, JOIN_ONCE } from '../database/pool';

/** What is written of a push: `accepted` still, and decided on, where a read is to confirm it. */
export interface Verdict {
  pushId: string;
  state: 'accepted' | 'rejected' | 'observed';
  reason: string | null;
  final: boolean;
}

/** What a channel decided on pushes that it had accepted with a receipt; as many as it decides on at once. */
export async function recordVerdicts(dataSource: DataSource, verdicts: readonly Verdict[]): Promise<void> {
  const values = [
    verdicts.map(({ pushId }) => pushId),
    verdicts.map(({ state }) => state),
    verdicts.map(({ reason }) => reason),
    verdicts.map(({ final }) => final),
  ];
  await inTransaction(dataSource, async (client) => {
    await client.query(JOIN_ONCE);
    await client.query(RECORD_VERDICTS, values);
  });
}

/**
 * What was confirmed meanwhile stays so. A listing that changed while its push was followed is dirty, and pushed again
 * whatever became of that push; another one is parked where the channel refused it for good.
 */
const RECORD_VERDICTS = `
  WITH told AS (
    UPDATE pushes p SET state = v.state, reason = coalesce(v.reason, p.reason), decided_at = clock_timestamp()
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bool[]) AS v (id, state, reason, final)
     WHERE p.id = ANY($1::uuid[]) AND p.id = v.id AND p.state = 'accepted' AND p.decided_at IS NULL
    RETURNING p.listing_id, p.channel, p.channel_location, p.state, p.reason, v.final),
  refused AS (SELECT * FROM told WHERE state = 'rejected'),
  forgotten AS (
    UPDATE shown_quantities q SET pushed_units = NULL FROM refused r
     WHERE q.listing_id = ANY(ARRAY(SELECT listing_id FROM refused)) AND q.listing_id = r.listing_id AND q.channel_location = r.channel_location)
  INSERT INTO dirty_listings AS d (listing_id, channel, forced, last_error, parked_at)
  SELECT DISTINCT ON (listing_id) listing_id, channel, true, reason, CASE WHEN final THEN clock_timestamp() END
    FROM refused ORDER BY listing_id, final DESC
  ON CONFLICT (listing_id) DO UPDATE SET marks = d.marks + 1, forced = true, last_error = excluded.last_error`;
