-- What all hosts have used of each channel's limits, and which channels are left alone because they are away.

-- One small row per limit, rewritten before and after each call. The rules are src/channel-api/limit-state.ts.
CREATE TABLE channel_limits (
  channel text NOT NULL,
  name text NOT NULL,
  state jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (channel, name)
) WITH (fillfactor = 50);

CREATE TABLE breakers (
  channel text PRIMARY KEY,
  -- Half-open is no state of its own: it is an open breaker while a probe's lease lasts, so that no crash
  -- can leave it there.
  state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open')),
  -- A person keeps it in this state.
  held boolean NOT NULL DEFAULT false,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  reason text,
  -- Openings in a row without having stayed closed for long; each makes the next wait longer.
  openings integer NOT NULL DEFAULT 0,
  probe_at timestamptz NOT NULL DEFAULT '-infinity',
  probe_lease uuid,
  probe_until timestamptz NOT NULL DEFAULT '-infinity',
  -- Calls are made and none is answered since then, though the breaker is closed: throttled for long, say.
  unheard_since timestamptz
);

CREATE TABLE breaker_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel text NOT NULL,
  change text NOT NULL CHECK (change IN ('opened', 'reopened', 'closed', 'held-open', 'held-closed', 'released')),
  reason text,
  -- Who asked for it; the host itself where nobody did.
  actor text NOT NULL DEFAULT 'host',
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX breaker_changes_channel ON breaker_changes (channel, id DESC);
