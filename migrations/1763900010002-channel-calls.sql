-- How many calls each host made to each channel in each minute, by what became of them. A host writes its own minute again
-- with the newer counts, so that doing it twice counts nothing twice.
CREATE TABLE channel_calls (
  minute timestamptz NOT NULL,
  channel text NOT NULL,
  host uuid NOT NULL,
  answered bigint NOT NULL,
  throttled bigint NOT NULL,
  -- No usable answer came: time-outs, lost connections, answers of 5xx.
  unanswered bigint NOT NULL,
  -- Not sent, as the breaker was open.
  refused bigint NOT NULL,
  PRIMARY KEY (minute, channel, host)
) WITH (fillfactor = 70);
