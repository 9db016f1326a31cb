const LISTING = `
  l.id, l.channel, l.channel_sku AS "channelSku", l.origin, l.revision, l.cap, l.buffer_units AS "bufferUnits",
  l.buffer_percent AS "bufferPercent", c.components`;

const COMPONENTS = `
  JOIN LATERAL (SELECT json_agg(json_build_object('skuId', c.sku_id, 'units', c.units) ORDER BY c.sku_id) AS components
                  FROM listing_components c WHERE c.listing_id = l.id) c ON c.components IS NOT NULL`;

/**
 * A channel may name a listing twice in one page; the last one counts. What was pushed after $4 is newer than the
 * page, which then says nothing but that the listing is there.
 */
export const RECORD_SHOWN = `
  INSERT INTO shown_quantities AS q (listing_id, channel_location, shown_units, shown_at, read_at)
  SELECT DISTINCT ON (id, location) id, location, units, clock_timestamp(), clock_timestamp()
    FROM unnest($1::int[], $2::text[], $3::bigint[]) WITH ORDINALITY AS s (id, location, units, nr)
   ORDER BY id, location, nr DESC
  ON CONFLICT (listing_id, channel_location) DO UPDATE
    SET read_at = excluded.read_at,
        shown_units = CASE WHEN q.pushed_at >= $4::timestamptz THEN q.shown_units ELSE excluded.shown_units END,
        shown_at = CASE WHEN q.pushed_at >= $4::timestamptz THEN q.shown_at ELSE excluded.shown_at END`;

export const CONFIRM_PUSHES = `
  UPDATE pushes p SET state = 'confirmed', confirmed_at = clock_timestamp()
    FROM unnest($1::int[], $2::text[], $3::bigint[]) AS s (id, location, units)
   WHERE p.channel = $4 AND p.listing_id = ANY($1::int[]) AND p.listing_id = s.id AND p.channel_location = s.location AND p.state = 'accepted' AND p.quantity = s.units
     AND ($5::timestamptz IS NULL OR p.sent_at < $5)`;

/** Of the channels $1, those of the ids $2 (all where it is null) after $3, at most $4. */
export const READ_LISTINGS = `
  SELECT ${LISTING} FROM listings l ${COMPONENTS}
   WHERE l.retired_at IS NULL AND l.channel = ANY($1::text[]) AND ($2::int[] IS NULL OR l.id = ANY($2::int[]))
     AND l.id > $3 ORDER BY l.id LIMIT $4`;

/** Of the channel $1 after the id $2, at most $3; with the channel SKU $4, our SKU $5, the origin $6 where given. */
export const READ_PAGE = `
  SELECT ${LISTING} FROM listings l ${COMPONENTS}
   WHERE l.channel = $1 AND l.retired_at IS NULL AND l.id > $2
     AND ($4::text IS NULL OR l.channel_sku = $4) AND ($6::text IS NULL OR l.origin = $6)
     AND ($5::int IS NULL OR EXISTS (SELECT FROM listing_components o WHERE o.listing_id = l.id AND o.sku_id = $5))
   ORDER BY l.id LIMIT $3`;
