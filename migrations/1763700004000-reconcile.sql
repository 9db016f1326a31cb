-- What each comparison of a channel with the ledger found.
CREATE TABLE reconcile_runs (
  id uuid PRIMARY KEY,
  channel text NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  listings integer NOT NULL DEFAULT 0,
  equal integer NOT NULL DEFAULT 0,
  in_flight integer NOT NULL DEFAULT 0,
  drifted integer NOT NULL DEFAULT 0,
  missing integer NOT NULL DEFAULT 0,
  unmapped integer NOT NULL DEFAULT 0,
  error text
);
CREATE INDEX reconcile_runs_channel ON reconcile_runs (channel, started_at DESC);

CREATE TABLE drifts (
  run_id uuid NOT NULL,
  channel text NOT NULL,
  channel_sku text NOT NULL,
  cause text NOT NULL CHECK (cause IN ('drift', 'missing', 'unmapped')),
  shown_units bigint,
  expected_units bigint,
  found_at timestamptz NOT NULL,
  PRIMARY KEY (run_id, channel_sku)
);
CREATE INDEX drifts_channel ON drifts (channel, found_at DESC);
