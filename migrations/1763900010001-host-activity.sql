-- What the host does of itself and people want to know of, written down with what it did, whichever host it was. Should
-- that fail, what was done stays done, and the server's log tells what is missing.

CREATE FUNCTION note_breaker_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO activity (actor_kind, actor, action, subject, channel, outcome, detail)
  VALUES ('host', 'breaker', CASE NEW.change WHEN 'opened' THEN 'breaker.open' ELSE 'breaker.close' END, NEW.channel,
          NEW.channel, 'done', jsonb_build_object('reason', NEW.reason));
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'not in the activity log: breaker % of %: %', NEW.change, NEW.channel, SQLERRM;
  RETURN NULL;
END $$;

CREATE TRIGGER breaker_changes_are_activity
  AFTER INSERT ON breaker_changes FOR EACH ROW WHEN (NEW.actor = 'host' AND NEW.change IN ('opened', 'closed'))
  EXECUTE FUNCTION note_breaker_activity();

-- What a person had cancelled is in the log as that person's.
CREATE FUNCTION note_cancellation_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO activity (actor_kind, actor, action, subject, channel, outcome, detail)
  VALUES ('host', NEW.actor, 'oversell.cancel', NEW.oversell_id::text, NEW.channel,
          CASE NEW.state WHEN 'impossible' THEN 'refused' ELSE 'done' END,
          jsonb_build_object('orderId', NEW.order_id, 'state', NEW.state,
            'units', (SELECT sum((line->>'quantityUnits')::numeric) FROM jsonb_array_elements(NEW.lines) AS line)));
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'not in the activity log: cancellation % is %: %', NEW.id, NEW.state, SQLERRM;
  RETURN NULL;
END $$;

CREATE TRIGGER cancellations_are_activity
  AFTER UPDATE OF state ON cancellations FOR EACH ROW
  WHEN (NEW.actor LIKE 'policy:%' AND OLD.state IN ('intended', 'superseded')
        AND NEW.state IN ('cancelled', 'pending', 'impossible', 'done'))
  EXECUTE FUNCTION note_cancellation_activity();
