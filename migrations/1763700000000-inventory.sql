-- The ledger and its projections. Owned by src/inventory, written by nothing else.
--
-- The hot tables carry no foreign keys: a row-level trigger per inserted row costs more than the insert
-- itself, SKUs and locations are never deleted, and `onhand verify` looks for dangling ids.

CREATE TYPE stock_state AS ENUM
  ('outside', 'available', 'reserved', 'quarantined', 'damaged', 'in_transit', 'on_order');

CREATE TYPE ledger_event_type AS ENUM
  ('RESTOCK', 'RESERVE', 'RELEASE', 'FULFILL', 'RETURN', 'INSPECT', 'ADJUST', 'DAMAGE', 'TRANSFER', 'RECEIVE', 'EXPECT');

CREATE TABLE skus (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text,
  barcode text,
  unit_of_measure text NOT NULL DEFAULT 'each',
  tags text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX skus_barcode ON skus (barcode) WHERE barcode IS NOT NULL;

CREATE TABLE locations (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text NOT NULL,
  -- Stock is taken from the location with the smallest number first.
  priority integer NOT NULL DEFAULT 100,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The projection: one row per SKU and location, rewritten by every event. The free space in each page
-- keeps those rewrites on the page (HOT), so the primary key is not touched.
CREATE TABLE levels (
  sku_id integer NOT NULL,
  location_id integer NOT NULL,
  available bigint NOT NULL DEFAULT 0,
  reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  quarantined bigint NOT NULL DEFAULT 0 CHECK (quarantined >= 0),
  damaged bigint NOT NULL DEFAULT 0 CHECK (damaged >= 0),
  in_transit bigint NOT NULL DEFAULT 0 CHECK (in_transit >= 0),
  on_order bigint NOT NULL DEFAULT 0 CHECK (on_order >= 0),
  -- How many events made it.
  version bigint NOT NULL DEFAULT 0,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (sku_id, location_id)
) WITH (fillfactor = 60);

-- Append-only. Each row carries the level after it, so what was known at any moment is one look-up.
CREATE TABLE ledger (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  sku_id integer NOT NULL,
  location_id integer NOT NULL,
  type ledger_event_type NOT NULL,
  from_state stock_state NOT NULL,
  to_state stock_state NOT NULL,
  quantity bigint NOT NULL CHECK (quantity > 0),
  available bigint NOT NULL,
  reserved bigint NOT NULL,
  quarantined bigint NOT NULL,
  damaged bigint NOT NULL,
  in_transit bigint NOT NULL,
  on_order bigint NOT NULL,
  version bigint NOT NULL,
  -- The other end of a TRANSFER, whose two legs are two events.
  counterpart_location_id integer,
  channel text,
  order_id text,
  line_id text,
  reservation_id uuid,
  command_key text NOT NULL,
  content_hash bytea NOT NULL,
  reference text,
  reason text,
  actor text NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  -- Two writers can never both make a level's next event. The only index: each one more slows every event.
  PRIMARY KEY (sku_id, location_id, version),
  CHECK (from_state <> to_state),
  CHECK (type <> 'ADJUST' OR reason IS NOT NULL)
);

-- The version of a level as it was known at a moment, 0 before its first event. Versions are contiguous and
-- recorded_at never falls from one to the next, so the primary key can be searched by halves.
CREATE FUNCTION version_known_at(sku integer, location integer, newest bigint, moment timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  low bigint := 0;
  high bigint := newest;
  middle bigint;
BEGIN
  WHILE low < high LOOP
    middle := (low + high + 1) / 2;
    IF (SELECT recorded_at <= moment FROM ledger
         WHERE sku_id = sku AND location_id = location AND version = middle) THEN
      low := middle;
    ELSE
      high := middle - 1;
    END IF;
  END LOOP;
  RETURN low;
END $$;

CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only: % is refused; post a correcting event instead', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_is_append_only
  BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

-- Unique for ever, apart from the ledger, so that the ledger can one day be split by time.
CREATE TABLE idempotency_keys (
  key text PRIMARY KEY,
  content_hash bytea NOT NULL,
  outcome json NOT NULL,
  recorded_at timestamptz NOT NULL
);

CREATE TABLE reservations (
  id uuid PRIMARY KEY,
  reference text,
  -- A channel's order has one reservation; an API reservation has neither column.
  channel text,
  order_id text,
  -- The newest revision of the channel's order that was settled.
  revision bigint,
  state text NOT NULL CHECK (state IN ('held', 'confirmed', 'fulfilled', 'released', 'expired')),
  expires_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((channel IS NULL) = (order_id IS NULL)),
  CHECK (state <> 'held' OR expires_at IS NOT NULL)
);
CREATE UNIQUE INDEX reservations_order ON reservations (channel, order_id) WHERE channel IS NOT NULL;
CREATE INDEX reservations_expiry ON reservations (expires_at) WHERE state = 'held';

-- One row per line and location it was taken from. Counts are units so far.
CREATE TABLE reservation_lines (
  reservation_id uuid NOT NULL,
  line integer NOT NULL,
  part integer NOT NULL,
  line_id text,
  sku_id integer NOT NULL,
  location_id integer NOT NULL,
  quantity bigint NOT NULL CHECK (quantity >= 0),
  reserved bigint NOT NULL CHECK (reserved >= 0),
  fulfilled bigint NOT NULL DEFAULT 0 CHECK (fulfilled >= 0),
  released bigint NOT NULL DEFAULT 0 CHECK (released >= 0),
  returned bigint NOT NULL DEFAULT 0 CHECK (returned >= 0),
  PRIMARY KEY (reservation_id, line, part),
  CHECK (fulfilled + released <= reserved),
  CHECK (reserved - released <= quantity)
);

-- Orders already accepted by a channel, and counts, that the ledger cannot cover.
CREATE TABLE shortfalls (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cause text NOT NULL CHECK (cause IN ('order', 'count')),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
  sku_id integer NOT NULL,
  location_id integer,
  quantity bigint NOT NULL CHECK (quantity >= 0),
  channel text,
  order_id text,
  line_id text,
  reservation_id uuid,
  command_key text NOT NULL,
  recorded_at timestamptz NOT NULL,
  resolved_at timestamptz
);
-- One open shortfall per order line and SKU, and one per miscounted level.
CREATE UNIQUE INDEX shortfalls_order ON shortfalls (channel, order_id, line_id, sku_id) WHERE cause = 'order';
CREATE UNIQUE INDEX shortfalls_count ON shortfalls (sku_id, location_id) WHERE cause = 'count' AND state = 'open';
CREATE INDEX shortfalls_open ON shortfalls (recorded_at) WHERE state = 'open';
