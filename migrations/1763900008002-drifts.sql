-- One row for each listing that a channel shows otherwise than it should, as long as that lasts and a while after it;
-- what each comparison found is the report of its task.
DROP TABLE drifts;
DROP TABLE reconcile_runs;

CREATE TABLE drifts (
  channel text NOT NULL,
  channel_sku text NOT NULL,
  -- '' where the channel keeps one number per listing.
  channel_location text NOT NULL DEFAULT '',
  cause text NOT NULL
    CHECK (cause IN ('drift', 'not-applied', 'channel-edit', 'unseen-order', 'orders-unread', 'missing', 'unmapped')),
  shown_units bigint,
  expected_units bigint,
  -- What the channel took last, and when.
  pushed_units bigint,
  pushed_at timestamptz,
  -- Versions of the levels that the expected quantity came from: {sku: {location: version}}.
  versions jsonb NOT NULL DEFAULT '{}',
  since timestamptz NOT NULL,
  found_at timestamptz NOT NULL,
  run_id uuid NOT NULL,
  -- Comparisons that found it, and corrections that did not last.
  times integer NOT NULL DEFAULT 1,
  corrections integer NOT NULL DEFAULT 0,
  -- Corrected often enough: a person is to see why it comes back.
  escalated_at timestamptz,
  resolved_at timestamptz,
  PRIMARY KEY (channel, channel_sku, channel_location)
);
CREATE INDEX drifts_found ON drifts (channel, found_at DESC);
CREATE INDEX drifts_open ON drifts (channel, cause) WHERE resolved_at IS NULL;

-- When the channel itself last said so, as against what follows from an answered push.
ALTER TABLE shown_quantities ADD COLUMN read_at timestamptz;
