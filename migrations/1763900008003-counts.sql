-- What a warehouse or an ERP counted, line by line, beside what the ledger says of that moment. Owned by src/reconcile.

CREATE TABLE counts (
  id uuid PRIMARY KEY,
  -- Who counted, such as `wms-north`.
  source text NOT NULL,
  -- sha256 of what was sent: the same snapshot again is the same count.
  content_hash bytea NOT NULL,
  kind text NOT NULL CHECK (kind IN ('full', 'partial')),
  -- The moment that it speaks of.
  taken_at timestamptz NOT NULL,
  reason text NOT NULL,
  -- open: being compared. waiting: lines wait for a person. done: nothing is left to do.
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'waiting', 'done')),
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  received_by text NOT NULL,
  finished_at timestamptz,
  -- The share of known lines that were right, and the share of units that were not.
  accuracy double precision,
  drift double precision,
  UNIQUE (source, content_hash)
);
CREATE INDEX counts_received ON counts (received_at DESC);

CREATE TABLE count_lines (
  count_id uuid NOT NULL REFERENCES counts (id) ON DELETE CASCADE,
  line integer NOT NULL,
  -- As it was sent; ids are null where nobody knows the code.
  sku text NOT NULL,
  location text NOT NULL,
  sku_id integer,
  location_id integer,
  -- on_hand: available and reserved, which is what stands on the shelf for sale.
  counted_state text NOT NULL CHECK (counted_state IN ('on_hand', 'available', 'quarantined', 'damaged')),
  counted_units bigint NOT NULL CHECK (counted_units >= 0),
  -- What the ledger says of that moment, and the units by which the count differs.
  ledger_units bigint,
  difference bigint,
  status text NOT NULL DEFAULT 'new'
    CHECK (status IN ('new', 'equal', 'tolerated', 'waiting', 'adjusted', 'rejected', 'refused', 'unknown')),
  -- Why it waits, or was refused.
  note text,
  -- The level's units in that state just before and after the adjustment.
  units_before bigint,
  units_after bigint,
  decided_by text,
  decided_at timestamptz,
  PRIMARY KEY (count_id, line)
);
CREATE INDEX count_lines_status ON count_lines (count_id, status, line);

-- Reservations that nobody fulfils, as the last look found them.
CREATE TABLE stranded_reservations (
  reservation_id uuid PRIMARY KEY,
  channel text,
  order_id text,
  reference text,
  state text NOT NULL,
  units bigint NOT NULL,
  skus text[] NOT NULL,
  reserved_at timestamptz NOT NULL,
  found_at timestamptz NOT NULL
);

-- Orders that a comparison of order lists has met; for as long as it runs.
CREATE TABLE order_marks (
  task_id uuid NOT NULL,
  order_id text NOT NULL,
  PRIMARY KEY (task_id, order_id)
);

-- Orders that differ between a channel's list and ours, of the newest comparisons.
CREATE TABLE order_differences (
  task_id uuid NOT NULL,
  channel text NOT NULL,
  order_id text NOT NULL,
  difference text NOT NULL CHECK (difference IN ('missing', 'different', 'unsettled', 'extra')),
  -- What differs, for a person.
  detail text NOT NULL,
  -- As the channel listed it.
  revision bigint,
  found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  repaired_at timestamptz,
  PRIMARY KEY (task_id, order_id)
);
CREATE INDEX order_differences_channel ON order_differences (channel, found_at DESC);
