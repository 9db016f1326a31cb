-- Orders that have a shortfall, and what is done about each. The shortfalls themselves are the ledger's.
CREATE TABLE oversells (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel text NOT NULL,
  order_id text NOT NULL,
  -- held: a person decides. grace: cancelled at due_at. backordered: waits for stock. cancelling: the channel
  -- is being asked. pending: the channel took the cancellation, its order does not say so yet. resolved: nothing
  -- is short any more. closed: a person took care of it.
  state text NOT NULL
    CHECK (state IN ('held', 'grace', 'backordered', 'cancelling', 'pending', 'resolved', 'closed')),
  -- How many are short now, over all lines.
  units bigint NOT NULL,
  -- Why it is held, where the policy or a person wanted something else.
  note text,
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  -- Units short when a person closed it: it opens again when more are short than that.
  closed_units bigint,
  lease uuid,
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (channel, order_id)
);
CREATE INDEX oversells_open ON oversells (id) WHERE state NOT IN ('resolved', 'closed');

-- What a channel was asked to cancel. A row is committed before the call, and a call repeated for the same
-- row repeats its id and content, so that it is done at most once.
CREATE TABLE cancellations (
  id uuid PRIMARY KEY,
  oversell_id bigint NOT NULL REFERENCES oversells (id),
  channel text NOT NULL,
  order_id text NOT NULL,
  -- [{lineId, quantityUnits, wantedUnits}]: units to cancel of those that the order wanted by then.
  lines jsonb NOT NULL,
  reason text NOT NULL,
  message text NOT NULL,
  actor text NOT NULL,
  -- intended: what became of it is not known yet. done: the order says so. superseded: no longer needed.
  state text NOT NULL DEFAULT 'intended'
    CHECK (state IN ('intended', 'cancelled', 'pending', 'impossible', 'done', 'superseded')),
  receipt text,
  error text,
  attempts integer NOT NULL DEFAULT 0,
  intended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The newest call, and its answer.
  called_at timestamptz,
  answered_at timestamptz
);
-- One cancellation of an order is open at a time.
CREATE UNIQUE INDEX cancellations_open ON cancellations (oversell_id)
  WHERE state IN ('intended', 'cancelled', 'pending');
