-- What channels told us, before and after it was understood.
CREATE TABLE inbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel text NOT NULL,
  -- sha256 of topic and raw body: a delivery repeated with fresh headers is still the same one.
  identity bytea NOT NULL,
  topic text NOT NULL,
  path text NOT NULL,
  headers jsonb NOT NULL,
  body bytea NOT NULL,
  state text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'applied', 'parked')),
  deliveries integer NOT NULL DEFAULT 1,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT '-infinity',
  error text,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  applied_at timestamptz,
  UNIQUE (channel, identity)
);
CREATE INDEX inbox_received ON inbox (not_before, id) WHERE state = 'received';
CREATE INDEX inbox_parked ON inbox (id) WHERE state = 'parked';

-- The newest view of each channel order.
CREATE TABLE orders (
  channel text NOT NULL,
  order_id text NOT NULL,
  revision bigint NOT NULL,
  document jsonb NOT NULL,
  -- What each line consisted of when it was first seen: {lineId: [{skuId, units}]}.
  mapping jsonb NOT NULL DEFAULT '{}',
  placed_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (channel, order_id)
);

-- Order lines whose channel SKU nobody has mapped; they wait here and never block the rest.
CREATE TABLE parked_lines (
  channel text NOT NULL,
  order_id text NOT NULL,
  line_id text NOT NULL,
  channel_sku text NOT NULL,
  reason text NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (channel, order_id, line_id)
);
CREATE INDEX parked_lines_sku ON parked_lines (channel, channel_sku);
