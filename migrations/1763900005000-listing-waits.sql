-- Listings whose channel takes no more changes of them for a while: a budget of changes for each listing is used up.

-- Until then they are claimed again when they change, but sent only where they come to show 0.
ALTER TABLE dirty_listings
  ADD COLUMN waits_for text,
  ADD COLUMN waits_until timestamptz;

-- As before, but one that waits is looked at again: it may be sold out by now.
CREATE OR REPLACE FUNCTION mark_listings_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- In listing order, so that two transactions marking the same listings never deadlock. A listing that is
  -- dirty and claimed by nobody is only locked: whoever claims it next computes from what is committed then.
  -- A channel lowers what it shows by itself when it sells, so after its own order what it took last says
  -- nothing any more: its listings are sent even if the number is the one sent last.
  INSERT INTO dirty_listings (listing_id, channel, forced)
    SELECT l.id, l.channel, bool_or(p.channel IS NOT DISTINCT FROM l.channel)
      FROM posted p
      JOIN listing_components c ON c.sku_id = p.sku_id
      JOIN listings l ON l.id = c.listing_id AND l.retired_at IS NULL
     GROUP BY l.id, l.channel
     ORDER BY l.id
  ON CONFLICT (listing_id) DO UPDATE
    SET marks = dirty_listings.marks + 1,
        forced = dirty_listings.forced OR excluded.forced,
        attempts = CASE WHEN dirty_listings.parked_at IS NULL THEN dirty_listings.attempts ELSE 0 END,
        parked_at = NULL,
        not_before = CASE WHEN dirty_listings.waits_for IS NULL THEN dirty_listings.not_before ELSE '-infinity' END
  WHERE dirty_listings.lease IS NOT NULL OR dirty_listings.parked_at IS NOT NULL
     OR (excluded.forced AND NOT dirty_listings.forced)
     OR (dirty_listings.waits_for IS NOT NULL AND dirty_listings.not_before > '-infinity');
  RETURN NULL;
END $$;
