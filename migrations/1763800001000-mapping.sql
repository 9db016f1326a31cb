-- SKU mapping in full: who owns a listing, its own cap and buffer, SKUs that were renamed, what nobody mapped
-- yet, and proposals for it. Owned by src/channels, but for the codes of SKUs, which are src/inventory's.

-- `file`: from the channel's configured CSV, which alone changes and retires it. `api`: made by API or CLI,
-- and left alone by the file for as long as the file does not name it. An absent cap or buffer is the channel's.
ALTER TABLE listings
  ADD COLUMN origin text NOT NULL DEFAULT 'file' CHECK (origin IN ('file', 'api')),
  -- Grows with every change, so that a host sees that what it has in memory is old.
  ADD COLUMN revision integer NOT NULL DEFAULT 1,
  ADD COLUMN cap bigint CHECK (cap >= 0),
  ADD COLUMN buffer_units bigint CHECK (buffer_units >= 0),
  ADD COLUMN buffer_percent double precision CHECK (buffer_percent BETWEEN 0 AND 100);

-- Pages of one channel's listings, in the order of their ids.
CREATE INDEX listings_channel ON listings (channel, id);

-- Codes that SKUs had before they were renamed. They stay known for ever and are never given to another SKU,
-- so that an order, a file or a person that still says the old code means the SKU it always meant.
CREATE TABLE sku_aliases (
  code text PRIMARY KEY,
  sku_id integer NOT NULL REFERENCES skus (id),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sku_aliases_sku ON sku_aliases (sku_id);

-- Channel SKUs that were met while nobody had mapped them. One that is mapped by now is left here, and is in
-- the queue again as soon as its listing is retired.
CREATE TABLE unmapped_skus (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel text NOT NULL,
  channel_sku text NOT NULL,
  -- As the channel has them, where it says.
  title text,
  barcode text,
  first_seen_in text NOT NULL CHECK (first_seen_in IN ('order', 'read')),
  first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen_in text NOT NULL CHECK (last_seen_in IN ('order', 'read')),
  last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- A person said that it will never be mapped.
  ignored_at timestamptz,
  UNIQUE (channel, channel_sku)
);
CREATE INDEX unmapped_skus_channel ON unmapped_skus (channel, id);

INSERT INTO unmapped_skus (channel, channel_sku, first_seen_in, first_seen_at, last_seen_in, last_seen_at)
SELECT channel, channel_sku, 'order', min(parked_at), 'order', max(parked_at)
  FROM parked_lines GROUP BY channel, channel_sku ORDER BY channel, channel_sku;

-- In the transaction that parks the line, whoever parks it: no parked SKU can be missing from the queue.
CREATE FUNCTION note_parked_skus() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- In one order, so that two orders of the same SKUs never deadlock.
  INSERT INTO unmapped_skus (channel, channel_sku, first_seen_in, last_seen_in)
    SELECT DISTINCT channel, channel_sku, 'order', 'order' FROM parked ORDER BY channel, channel_sku
  ON CONFLICT (channel, channel_sku) DO UPDATE SET last_seen_in = 'order', last_seen_at = clock_timestamp();
  RETURN NULL;
END $$;

CREATE TRIGGER parked_lines_are_unmapped
  AFTER INSERT ON parked_lines REFERENCING NEW TABLE AS parked
  FOR EACH STATEMENT EXECUTE FUNCTION note_parked_skus();
CREATE TRIGGER parked_lines_stay_unmapped
  AFTER UPDATE ON parked_lines REFERENCING NEW TABLE AS parked
  FOR EACH STATEMENT EXECUTE FUNCTION note_parked_skus();

-- Matches proposed to a person. A confirmed one becomes a listing and leaves; a dismissed one stays, so that
-- it is not proposed again.
CREATE TABLE listing_suggestions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel text NOT NULL,
  channel_sku text NOT NULL,
  sku_id integer NOT NULL REFERENCES skus (id),
  -- The strongest first: sku, former-sku, barcode, similar-sku.
  reasons text[] NOT NULL,
  -- 1 to 100; only for sorting, a person decides.
  score integer NOT NULL CHECK (score BETWEEN 1 AND 100),
  proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  dismissed_at timestamptz,
  UNIQUE (channel, channel_sku, sku_id)
);
CREATE INDEX listing_suggestions_sku ON listing_suggestions (channel, sku_id);

-- What two codes have in common that differ in case, spaces, dashes and underscores only.
CREATE FUNCTION similar_code(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT translate(lower(code), E' \t\u00a0-_\u2010\u2011\u2012\u2013\u2014', '')
$$;

-- An EAN-13 that starts with 0 is the UPC-A without it; spaces and dashes are for people.
CREATE FUNCTION barcode_digits(barcode text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN translate(barcode, ' -', '') ~ '^[0-9]{8,14}$' THEN nullif(ltrim(translate(barcode, ' -', ''), '0'), '')
              ELSE barcode END
$$;
