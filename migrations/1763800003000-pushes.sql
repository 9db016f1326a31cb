-- Pushing by the channel's own locations, recorded before it is sent, confirmed after it; pauses.

-- What a channel was sent and shows, for each of its own locations; '' where it keeps one number per listing.
CREATE TABLE shown_quantities (
  listing_id integer NOT NULL,
  channel_location text NOT NULL DEFAULT '',
  -- What the channel took last; null when it never took anything, or may have taken more since.
  pushed_units bigint,
  pushed_at timestamptz,
  -- What it is known to show.
  shown_units bigint,
  shown_at timestamptz,
  PRIMARY KEY (listing_id, channel_location)
) WITH (fillfactor = 70);
INSERT INTO shown_quantities (listing_id, pushed_units, pushed_at, shown_units, shown_at)
  SELECT id, pushed_units, pushed_at, shown_units, shown_at FROM listings
   WHERE pushed_at IS NOT NULL OR shown_at IS NOT NULL;
ALTER TABLE listings DROP COLUMN pushed_units, DROP COLUMN pushed_at, DROP COLUMN shown_units, DROP COLUMN shown_at;

ALTER TABLE pushes
  ADD COLUMN channel_location text NOT NULL DEFAULT '',
  -- The channel's own name for what it accepted.
  ADD COLUMN receipt text,
  ADD COLUMN confirmed_at timestamptz;
-- Pushes that wait for an answer or a confirmation; the next push of the listing supersedes them.
CREATE INDEX pushes_open ON pushes (channel, listing_id, channel_location) WHERE state IN ('sent', 'accepted');

ALTER TABLE dirty_listings
  -- Batches in a row that failed as a whole. Not the listing's fault as far as is known, so it is never
  -- parked for them, but it is tried later and in smaller company.
  ADD COLUMN batch_failures integer NOT NULL DEFAULT 0,
  -- A stale answer tells of an order not heard of: not pushed until the orders of that moment have been read.
  ADD COLUMN orders_after timestamptz;
-- A claim takes the first rows of this order without sorting all that is dirty.
DROP INDEX dirty_listings_channel;
CREATE INDEX dirty_listings_due ON dirty_listings (channel, not_before, since);

-- Channels that keep stock by location drift by location.
ALTER TABLE drifts ADD COLUMN channel_location text NOT NULL DEFAULT '';
ALTER TABLE drifts DROP CONSTRAINT drifts_pkey, ADD PRIMARY KEY (run_id, channel_sku, channel_location);

-- A person stopped pushing to these channels. What changes meanwhile stays dirty.
CREATE TABLE channel_pauses (
  channel text PRIMARY KEY,
  reason text NOT NULL,
  paused_by text NOT NULL,
  paused_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
