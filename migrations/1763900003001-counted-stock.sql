-- Stock that a channel itself holds for us and counts: it is sold by that channel alone, so no listing shows it and
-- no order takes it.
ALTER TABLE locations ADD COLUMN counted_by text;

-- What the channel counted last, by its own SKUs: several of them may be one of ours.
CREATE TABLE counted_stock (
  channel text NOT NULL,
  channel_location text NOT NULL,
  channel_sku text NOT NULL,
  units bigint NOT NULL CHECK (units >= 0),
  counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (channel, channel_location, channel_sku)
);
