-- What is worth a person's attention. Owned by src/alerts.
CREATE TABLE alerts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- What is wrong with what: the rule and its subject.
  key text NOT NULL,
  rule text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('warning', 'critical')),
  channel text,
  subject text,
  -- Of the SKU, where it is about one: some receivers want to know of some tags only.
  tags text[] NOT NULL DEFAULT '{}',
  summary text NOT NULL,
  value double precision,
  threshold double precision,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'resolved')),
  -- How often it began.
  count integer NOT NULL DEFAULT 1,
  first_at timestamptz NOT NULL,
  -- When it was seen last.
  last_at timestamptz NOT NULL,
  -- Since when it is over; null while it holds.
  cleared_at timestamptz,
  told_at timestamptz NOT NULL,
  -- How often receivers were told of it.
  version integer NOT NULL DEFAULT 1,
  acknowledged_at timestamptz,
  acknowledged_by text,
  resolved_at timestamptz,
  resolved_by text,
  CHECK ((state = 'resolved') = (resolved_at IS NOT NULL))
) WITH (fillfactor = 70);
-- One alert of a key at a time, whatever how many hosts look.
CREATE UNIQUE INDEX alerts_unresolved ON alerts (key) WHERE state <> 'resolved';
CREATE INDEX alerts_of_key ON alerts (key, id DESC);
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE state = 'resolved';
