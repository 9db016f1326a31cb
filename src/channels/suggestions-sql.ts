import type { DataSource } from 'typeorm';
import { inTransaction, JOIN_ONCE } from '../database/pool';

export interface Proposed {
  /** Channel SKUs that nobody has mapped or ignored. */
  unmapped: number;
  proposed: number;
  /** Of these, those that have an alternative or share their SKU. */
  ambiguous: number;
}

/** Makes the proposals for all that is in the channel's queue, one caller at a time. */
export function propose(dataSource: DataSource, channel: string): Promise<Proposed> {
  return inTransaction(dataSource, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 22))', [`suggest ${channel}`]);
    await client.query(JOIN_ONCE);
    await client.query(PROPOSE, [channel]);
    return (await client.query<Proposed>(COUNT, [channel])).rows[0]!;
  });
}

/** More of our SKUs than this with one barcode, or codes that are alike, are no help to a person. */
const MOST_ALIKE = 5;

/**
 * Proposes for every channel SKU in the queue of $1. A SKU matches by its code, a former code, its barcode, or
 * a code that differs in case, spaces, dashes and underscores only; the last is left out where one matches
 * exactly. What was proposed and matches no more is taken back; what was dismissed stays so.
 */
const PROPOSE = `
  WITH seen AS MATERIALIZED (
    SELECT u.channel_sku, similar_code(u.channel_sku) AS alike, barcode_digits(u.barcode) AS barcode
      FROM unmapped_skus u
     WHERE u.channel = $1 AND u.ignored_at IS NULL AND NOT EXISTS
       (SELECT FROM listings l WHERE l.channel = $1 AND l.channel_sku = u.channel_sku AND l.retired_at IS NULL)
  ), codes AS MATERIALIZED (
    SELECT id AS sku_id, code, 'sku' AS reason, 100 AS score FROM skus
     UNION ALL SELECT sku_id, code, 'former-sku', 95 FROM sku_aliases
  ), exact AS MATERIALIZED (
    SELECT s.channel_sku, c.sku_id, c.reason, c.score FROM seen s JOIN codes c ON c.code = s.channel_sku
  ), alike AS (
    SELECT sku_id, alike, row_number() OVER (PARTITION BY alike ORDER BY sku_id) AS place
      FROM (SELECT DISTINCT sku_id, similar_code(code) AS alike FROM codes) c WHERE alike <> ''
  ), barcodes AS (
    SELECT id AS sku_id, barcode_digits(barcode) AS barcode,
           row_number() OVER (PARTITION BY barcode_digits(barcode) ORDER BY id) AS place
      FROM skus WHERE barcode IS NOT NULL
  ), matches AS (
    SELECT channel_sku, sku_id, reason, score FROM exact
     UNION ALL
    SELECT s.channel_sku, b.sku_id, 'barcode', 90 FROM seen s JOIN barcodes b ON b.barcode = s.barcode
     WHERE b.place <= ${MOST_ALIKE}
     UNION ALL
    SELECT s.channel_sku, a.sku_id, 'similar-sku', 80 FROM seen s JOIN alike a ON a.alike = s.alike
     WHERE a.place <= ${MOST_ALIKE} AND NOT EXISTS (SELECT FROM exact e WHERE e.channel_sku = s.channel_sku)
  ), best AS MATERIALIZED (
    SELECT channel_sku, sku_id, array_agg(reason ORDER BY score DESC) AS reasons,
           least(100, max(score) + 5 * (count(*) - 1))::int AS score
      FROM matches GROUP BY channel_sku, sku_id
  ), gone AS (
    DELETE FROM listing_suggestions g
     WHERE g.channel = $1 AND g.dismissed_at IS NULL AND NOT EXISTS
       (SELECT FROM best b WHERE b.channel_sku = g.channel_sku AND b.sku_id = g.sku_id)
  )
  INSERT INTO listing_suggestions AS g (channel, channel_sku, sku_id, reasons, score)
  SELECT $1, channel_sku, sku_id, reasons, score FROM best ORDER BY channel_sku, sku_id
  ON CONFLICT (channel, channel_sku, sku_id) DO UPDATE SET reasons = excluded.reasons, score = excluded.score
   WHERE g.reasons <> excluded.reasons OR g.score <> excluded.score`;

const COUNT = `
  WITH open AS (
    SELECT channel_sku, sku_id FROM listing_suggestions WHERE channel = $1 AND dismissed_at IS NULL
  )
  SELECT (SELECT count(*) FROM unmapped_skus u
           WHERE u.channel = $1 AND u.ignored_at IS NULL AND NOT EXISTS
             (SELECT FROM listings l WHERE l.channel = $1 AND l.channel_sku = u.channel_sku AND l.retired_at IS NULL)
         ) AS unmapped,
         (SELECT count(*) FROM open) AS proposed,
         (SELECT count(*) FROM (SELECT count(*) OVER (PARTITION BY channel_sku) AS by_channel_sku,
                                       count(*) OVER (PARTITION BY sku_id) AS by_sku, sku_id FROM open) o
           WHERE o.by_channel_sku > 1 OR o.by_sku > 1 OR EXISTS
             (SELECT FROM listing_components c JOIN listings l ON l.id = c.listing_id
               WHERE c.sku_id = o.sku_id AND l.channel = $1 AND l.retired_at IS NULL)) AS ambiguous`;

/** Ten names are enough to see that there are others. */
const NAMES_SHOWN = 10;

/** Of $1 after the id $2, at most $3; dismissed ones if $4. What was mapped meanwhile is no question any more. */
export const READ_SUGGESTIONS = `
  SELECT g.id, g.channel_sku AS "channelSku", u.title, u.barcode, k.code AS sku, k.name AS "skuName", g.reasons, g.score,
         ARRAY(SELECT o.code FROM listing_suggestions a JOIN skus o ON o.id = a.sku_id
                WHERE a.channel = $1 AND a.channel_sku = g.channel_sku AND a.sku_id <> g.sku_id AND a.dismissed_at IS NULL
                ORDER BY a.score DESC, o.code LIMIT ${NAMES_SHOWN}) AS alternatives,
         ARRAY(SELECT a.channel_sku FROM listing_suggestions a
                WHERE a.channel = $1 AND a.sku_id = g.sku_id AND a.channel_sku <> g.channel_sku AND a.dismissed_at IS NULL
                UNION
               SELECT l.channel_sku FROM listing_components c JOIN listings l ON l.id = c.listing_id
                WHERE c.sku_id = g.sku_id AND l.channel = $1 AND l.retired_at IS NULL
                ORDER BY 1 LIMIT ${NAMES_SHOWN}) AS "sharedWith",
         g.proposed_at AS "proposedAt", g.dismissed_at IS NOT NULL AS dismissed
    FROM listing_suggestions g JOIN skus k ON k.id = g.sku_id
    LEFT JOIN unmapped_skus u ON u.channel = g.channel AND u.channel_sku = g.channel_sku
   WHERE g.channel = $1 AND g.id > $2 AND (g.dismissed_at IS NOT NULL) = $4 AND NOT EXISTS
     (SELECT FROM listings l WHERE l.channel = $1 AND l.channel_sku = g.channel_sku AND l.retired_at IS NULL)
   ORDER BY g.id LIMIT $3`;
