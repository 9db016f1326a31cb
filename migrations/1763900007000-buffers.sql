-- What is withheld from channels, and what it is computed from. Owned by src/buffers.

-- What was recorded lately is read by time. These indexes have an entry for some pages, not for each row, so that
-- events and pushes cost as little as before.
CREATE INDEX ledger_recorded ON ledger USING brin (recorded_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX pushes_sent ON pushes USING brin (sent_at) WITH (pages_per_range = 16, autosummarize = on);

-- Since when the listing had waited to be pushed: from there to the answer is the latency of the channel.
ALTER TABLE pushes ADD COLUMN dirty_since timestamptz;

-- How fast a SKU sells at a location, kept up from the ledger. The rules are src/buffers/sales-rate.ts.
CREATE TABLE sales_rates (
  sku_id integer NOT NULL,
  location_id integer NOT NULL,
  -- Of the newest event that is counted, so that none is counted twice.
  version bigint NOT NULL,
  -- The clock hour that `hour_units` were sold in, and the hour before it.
  hour timestamptz NOT NULL,
  hour_units bigint NOT NULL,
  previous_units bigint NOT NULL,
  -- Units ever, weighing half after a week.
  weighted_units double precision NOT NULL,
  counted_at timestamptz NOT NULL,
  since timestamptz NOT NULL,
  -- When less may have to be withheld although nothing was sold; everything is looked at once a week.
  due_at timestamptz,
  -- Units an hour below which no more has to be withheld, so that a sale changes nothing.
  raise_at double precision NOT NULL DEFAULT 0,
  PRIMARY KEY (sku_id, location_id)
) WITH (fillfactor = 70);
CREATE INDEX sales_rates_due ON sales_rates (due_at) WHERE due_at IS NOT NULL;

-- What sales ask to be withheld. Without a row nothing is, and the SKU is a slow mover: what the policy withholds of
-- any stock, a window, a hold or a channel that is away needs no row, so most SKUs have none.
CREATE TABLE buffers (
  sku_id integer NOT NULL,
  location_id integer NOT NULL,
  channel text NOT NULL,
  -- [{kind, amount, policy, reason}]; the amount of a spike is in percent, the others are units.
  needs jsonb NOT NULL,
  is_slow boolean NOT NULL,
  released_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (sku_id, location_id, channel)
) WITH (fillfactor = 80);

-- Policies made by API and CLI; those of onhand.yaml stay there.
CREATE TABLE buffer_policies (
  name text PRIMARY KEY,
  definition jsonb NOT NULL,
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What operators withhold by hand.
CREATE TABLE buffer_holds (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku_id integer NOT NULL REFERENCES skus (id),
  -- Null: at all locations, from all channels.
  location_id integer,
  channel text,
  units bigint NOT NULL DEFAULT 0 CHECK (units >= 0),
  percent double precision NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
  reason text NOT NULL,
  placed_by text NOT NULL,
  placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  until timestamptz,
  ended_at timestamptz,
  ended_by text
);
CREATE INDEX buffer_holds_open ON buffer_holds (sku_id) WHERE ended_at IS NULL;

-- What is measured of each channel, as buffers go by it: rises are believed at once, falls step by step.
CREATE TABLE channel_signals (
  channel text PRIMARY KEY,
  sync_p99_ms double precision,
  confirmation_ms double precision NOT NULL DEFAULT 0,
  cancel_percent double precision NOT NULL DEFAULT 0,
  -- Units ordered, and of these cancelled late, weighing half after a week.
  ordered_units double precision NOT NULL DEFAULT 0,
  cancelled_units double precision NOT NULL DEFAULT 0,
  measured_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who or what changed which buffer, for ever.
CREATE TABLE buffer_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Null where it is more than one SKU's: a policy, a window, a channel's measured figures.
  sku_id integer,
  location_id integer,
  channel text,
  policy text,
  before jsonb,
  after jsonb,
  cause text NOT NULL,
  actor text NOT NULL DEFAULT 'host',
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX buffer_changes_sku ON buffer_changes (sku_id, id DESC);

-- How far all that has come; one host at a time goes on with it.
CREATE TABLE buffer_progress (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  counted_until timestamptz,
  edges_until timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Of the rules in onhand.yaml that were in force last.
  rules text,
  lease uuid,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO buffer_progress DEFAULT VALUES;
