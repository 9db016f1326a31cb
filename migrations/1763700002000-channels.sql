-- Listings (a channel's SKU mapped to ours), what is dirty, and what was pushed.
CREATE TABLE listings (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel text NOT NULL,
  channel_sku text NOT NULL,
  -- Gone from the configured list: no longer pushed, kept for its history.
  retired_at timestamptz,
  -- What the channel took last, and what it is known to show.
  pushed_units bigint,
  pushed_at timestamptz,
  shown_units bigint,
  shown_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (channel, channel_sku)
);

CREATE TABLE listing_components (
  listing_id integer NOT NULL REFERENCES listings (id) ON DELETE CASCADE,
  sku_id integer NOT NULL REFERENCES skus (id),
  units integer NOT NULL CHECK (units > 0),
  PRIMARY KEY (listing_id, sku_id)
);
CREATE INDEX listing_components_sku ON listing_components (sku_id) INCLUDE (listing_id);

-- A listing is dirty once however many events hit it. `marks` grows with each of them, so a push that
-- raced with an event leaves the listing dirty.
CREATE TABLE dirty_listings (
  -- No foreign key: it would look up every listing once more in every batch, and listings are never deleted.
  listing_id integer PRIMARY KEY,
  channel text NOT NULL,
  marks bigint NOT NULL DEFAULT 1,
  -- Send even when the quantity is the one sent last: the channel is known, or likely, to show another.
  forced boolean NOT NULL DEFAULT false,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  not_before timestamptz NOT NULL DEFAULT '-infinity',
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  parked_at timestamptz,
  lease uuid,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
CREATE INDEX dirty_listings_channel ON dirty_listings (channel, not_before);

CREATE FUNCTION mark_listings_dirty() RETURNS trigger LANGUAGE plpgsql AS $$
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
        parked_at = NULL
  WHERE dirty_listings.lease IS NOT NULL OR dirty_listings.parked_at IS NOT NULL
     OR (excluded.forced AND NOT dirty_listings.forced);
  RETURN NULL;
END $$;

-- In the transaction of whoever writes the ledger: no event on a mapped listing can go unpushed.
CREATE TRIGGER ledger_marks_listings
  AFTER INSERT ON ledger REFERENCING NEW TABLE AS posted
  FOR EACH STATEMENT EXECUTE FUNCTION mark_listings_dirty();

CREATE TABLE pushes (
  id uuid PRIMARY KEY,
  listing_id integer NOT NULL,
  channel text NOT NULL,
  quantity bigint NOT NULL,
  previous bigint,
  waterfall jsonb NOT NULL,
  trigger text NOT NULL,
  state text NOT NULL CHECK (state IN ('sent', 'accepted', 'applied', 'confirmed', 'rejected', 'stale', 'failed', 'superseded', 'observed')),
  reason text,
  sent_at timestamptz NOT NULL,
  answered_at timestamptz
);
CREATE INDEX pushes_listing ON pushes (listing_id, sent_at DESC);
