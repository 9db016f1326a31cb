-- Key figures over time: what was counted in each span of 300 s, and of 3600 s when that is over. Sums of spans are what
-- was counted in all of them. Owned by src/monitor.
CREATE TABLE kpi_buckets (
  fact text NOT NULL,
  step_seconds integer NOT NULL,
  bucket timestamptz NOT NULL,
  -- '' for what belongs to no channel.
  channel text NOT NULL,
  numerator double precision NOT NULL,
  denominator double precision NOT NULL,
  -- Of durations: the bins of their histogram that any is in, and how many are in each.
  bins integer[],
  bin_counts double precision[],
  PRIMARY KEY (fact, step_seconds, bucket, channel)
);

-- Up to when each fact is counted; whoever counts on holds its row meanwhile.
CREATE TABLE kpi_progress (
  fact text PRIMARY KEY,
  counted_until timestamptz NOT NULL
);

-- The figures as they were computed last, for scrapes; '' for all channels together.
CREATE TABLE kpi_values (
  name text NOT NULL,
  window_name text NOT NULL,
  channel text NOT NULL,
  value double precision,
  computed_at timestamptz NOT NULL,
  PRIMARY KEY (name, window_name, channel)
) WITH (fillfactor = 50);
