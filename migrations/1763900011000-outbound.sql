-- What receivers outside are told: marks of what changed, receivers as they do, and deliveries. Owned by src/outbound.

-- Written in the transaction that changes the level or the reservation, and only where a receiver wants to know.
-- A mark says what to look at; it is taken away by whoever looks, in the order of no sequence.
CREATE TABLE outbound_marks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku_id integer,
  location_id integer,
  reservation_id uuid,
  CHECK ((sku_id IS NULL) = (location_id IS NULL) AND (sku_id IS NULL) <> (reservation_id IS NULL))
);

CREATE TABLE receivers (
  name text PRIMARY KEY,
  -- sha256 of its kind and address: one that was disabled and has another address now starts anew.
  target bytea NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  failing_since timestamptz,
  -- While it fails it is left alone until then, but for one delivery at a time.
  not_before timestamptz NOT NULL DEFAULT '-infinity',
  status integer,
  error text,
  delivered_at timestamptz,
  disabled_at timestamptz
);

CREATE TABLE deliveries (
  -- The webhook-id, the same for every attempt.
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  nr bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  receiver text NOT NULL,
  event text NOT NULL,
  subject text NOT NULL,
  channel text,
  -- What it is a state of, such as a level: one that was never sent is overwritten by a newer state. Null for
  -- what is told one by one.
  state_of text,
  version bigint NOT NULL,
  -- Sent as it stands, so that its signature covers these very bytes.
  body text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given-up')),
  attempts integer NOT NULL DEFAULT 0,
  status integer,
  error text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  lease uuid,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX deliveries_unsent ON deliveries (receiver, state_of) WHERE state = 'waiting' AND attempts = 0;
CREATE INDEX deliveries_due ON deliveries (receiver, next_at) WHERE state = 'waiting';
CREATE INDEX deliveries_of ON deliveries (receiver, nr DESC);
CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;
