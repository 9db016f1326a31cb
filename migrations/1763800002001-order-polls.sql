-- How far each channel's orders have been read.
CREATE TABLE order_polls (
  channel text PRIMARY KEY,
  -- Every order that the channel changed before this moment has been listed, and applied or parked: when the
  -- newest complete poll began, by this database's clock.
  covered_at timestamptz,
  -- The poll under way, or broken off: when it began, since when it reads, and how far it has come.
  started_at timestamptz,
  since timestamptz,
  cursor text,
  -- Somebody needs a poll that begins after this moment.
  wanted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The next poll reads at least as far back, for parked orders to be seen again.
  reread_from timestamptz,
  finished_at timestamptz,
  -- Documents that the newest complete poll listed.
  orders integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  failing_since timestamptz,
  error text,
  -- One poll at a time over all hosts; the lease is renewed with every page.
  lease uuid,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- Whether each channel knows where to send its webhooks.
CREATE TABLE channel_subscriptions (
  channel text PRIMARY KEY,
  url text NOT NULL,
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  subscribed_at timestamptz,
  failures integer NOT NULL DEFAULT 0,
  error text
);
