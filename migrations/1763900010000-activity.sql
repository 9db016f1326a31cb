-- Who did what: what people changed by API, console and command line, and what the host did of itself that concerns them.

CREATE TABLE activity (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Drawn by whoever writes it, so that what is written again is there once.
  entry_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor_kind text NOT NULL CHECK (actor_kind IN ('key', 'session', 'cli', 'host')),
  actor text NOT NULL,
  -- Of the API key; names of keys may be the same.
  actor_id text,
  -- noun.verb, such as oversell.cancel
  action text NOT NULL,
  subject text,
  channel text,
  outcome text NOT NULL CHECK (outcome IN ('done', 'refused')),
  -- Of the HTTP answer.
  status integer,
  request_id text,
  -- What was asked, as far as it is neither secret nor about a buyer.
  detail jsonb
);
CREATE INDEX activity_at ON activity (at);

-- What has happened stays as it was written down; only what is older than any retention may go.
CREATE FUNCTION refuse_activity_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.at < clock_timestamp() - interval '30 days' THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION 'the activity log is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER activity_stays
  BEFORE UPDATE OR DELETE ON activity FOR EACH ROW EXECUTE FUNCTION refuse_activity_change();
CREATE TRIGGER activity_is_not_emptied
  BEFORE TRUNCATE ON activity FOR EACH STATEMENT EXECUTE FUNCTION refuse_activity_change();
