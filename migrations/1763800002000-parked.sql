-- What waits for a person can be tried again or dismissed; who did so, when and why is kept for ever.
ALTER TABLE inbox DROP CONSTRAINT inbox_state_check;
ALTER TABLE inbox ADD CONSTRAINT inbox_state_check
  CHECK (state IN ('received', 'applied', 'parked', 'dismissed')) NOT VALID;

-- `code` names the kind of error, for those of one kind to be dealt with together.
ALTER TABLE inbox ADD COLUMN code text, ADD COLUMN parked_at timestamptz;

-- Each channel's rows are claimed by themselves: one channel's backlog is not in another's way.
CREATE INDEX inbox_received_of_channel ON inbox (channel, not_before, id) WHERE state = 'received';
DROP INDEX inbox_received;
CREATE INDEX inbox_dismissed ON inbox (id) WHERE state = 'dismissed';

-- Orders that a poll listed and nobody could make sense of.
CREATE TABLE parked_orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel text NOT NULL,
  -- Null where not even that can be read.
  order_id text,
  -- sha256 of the order's id, or of the body where there is none: an order listed again is the same one.
  identity bytea NOT NULL,
  code text NOT NULL,
  reason text NOT NULL,
  body text NOT NULL,
  -- `retrying`: the channel is asked for it again.
  state text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'retrying', 'applied', 'dismissed')),
  -- The poll that listed it read orders changed since then; to see it again, a poll must read as far back.
  listed_since timestamptz NOT NULL,
  times integer NOT NULL DEFAULT 1,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (channel, identity)
);
CREATE INDEX parked_orders_open ON parked_orders (channel, order_id) WHERE state IN ('parked', 'retrying');

ALTER TABLE parked_lines ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE;

-- Order lines that somebody decided are none of ours (a gift card, a service). Not parked again with that SKU.
CREATE TABLE dismissed_lines (
  id bigint PRIMARY KEY,
  channel text NOT NULL,
  order_id text NOT NULL,
  line_id text NOT NULL,
  channel_sku text NOT NULL,
  reason text NOT NULL,
  parked_at timestamptz NOT NULL,
  UNIQUE (channel, order_id, line_id, channel_sku)
);

-- What people did about webhooks, orders, lines and oversells, oldest first.
CREATE TABLE intake_actions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject text NOT NULL CHECK (subject IN ('webhook', 'order', 'line', 'oversell')),
  subject_id bigint NOT NULL,
  action text NOT NULL,
  reason text,
  actor text NOT NULL,
  acted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX intake_actions_subject ON intake_actions (subject, subject_id, id);
