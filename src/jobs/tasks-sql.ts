import { placeInTime } from '../database/sql-time';

/** Answers the row made, or the one that is open already. */
export const START = `
  WITH made AS (
    INSERT INTO tasks (id, kind, subject, params, asked_by) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (kind, subject) WHERE state IN ('queued', 'running') DO NOTHING RETURNING id)
  SELECT id, true AS created FROM made
  UNION ALL
  SELECT id, false FROM tasks WHERE kind = $2 AND subject = $3 AND state IN ('queued', 'running') AND NOT EXISTS (SELECT FROM made)
  LIMIT 1`;

const COLUMNS = `
         id, kind, subject, params, state, asked_by AS "askedBy", asked_at AS "askedAt", started_at AS "startedAt",
         finished_at AS "finishedAt", cancel_asked_at AS "cancelAskedAt", done, total, note, report, error, error_code AS "errorCode"`;

export const READ = `SELECT ${COLUMNS} FROM tasks WHERE id = $1`;

export const READ_PAGE = `
  SELECT ${COLUMNS}, ${placeInTime('asked_at', 'id')} AS place FROM tasks
   WHERE ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR subject = $3) AND ($4::text IS NULL OR state = $4)
     AND (asked_at, id) < ($5::timestamptz, $6::uuid) ORDER BY asked_at DESC, id DESC LIMIT $1`;

/** Reports are for whoever asks for one. */
export const READ_OPEN = `
  SELECT id, kind, subject, state, asked_by AS "askedBy", asked_at AS "askedAt", started_at AS "startedAt",
         cancel_asked_at AS "cancelAskedAt", done, total, note
    FROM tasks WHERE state IN ('queued', 'running') ORDER BY asked_at DESC`;

/** Only by a host that knows how it is done. One that was cancelled before it began is over. */
export const CLAIM = `
  UPDATE tasks SET state = 'running', lease = $2, lease_until = clock_timestamp() + make_interval(secs => $3),
         started_at = coalesce(started_at, clock_timestamp()), attempts = attempts + 1
   WHERE id = $1 AND state IN ('queued', 'running') AND lease_until <= clock_timestamp() AND kind = ANY($4::text[])
  RETURNING id, kind, subject, params, checkpoint, report, asked_at AS "askedAt", started_at AS "startedAt", done, total`;

export const RELEASE = `
  UPDATE tasks SET state = 'queued', lease = NULL, lease_until = '-infinity', attempts = attempts - 1 WHERE id = $1 AND lease = $2`;

export const END = `
  UPDATE tasks SET state = $3, report = $4, error = $5, error_code = $6, finished_at = clock_timestamp(), lease = NULL,
         lease_until = '-infinity', checkpoint = NULL
   WHERE id = $1 AND lease = $2`;

/** One that nobody is at is over at once; whoever is at it hears of it within a second. */
export const CANCEL = `
  UPDATE tasks SET cancel_asked_at = coalesce(cancel_asked_at, clock_timestamp()),
         state = CASE WHEN lease_until <= clock_timestamp() THEN 'cancelled' ELSE state END,
         finished_at = CASE WHEN lease_until <= clock_timestamp() THEN clock_timestamp() END
   WHERE id = $1 AND state IN ('queued', 'running')`;

/** Those that were tried too often are given up on the way. */
export const LEFT_BEHIND = `
  WITH hopeless AS (
    UPDATE tasks SET state = 'failed', finished_at = clock_timestamp(),
           error = 'its host was lost ' || attempts || ' times while it was at it', error_code = 'cut-off'
     WHERE state IN ('queued', 'running') AND lease_until <= clock_timestamp() AND attempts >= $1)
  SELECT id, attempts, kind, subject FROM tasks
   WHERE state IN ('queued', 'running') AND lease_until <= clock_timestamp() AND attempts < $1`;

export const FORGET = `
  DELETE FROM tasks WHERE state IN ('done', 'failed', 'cancelled') AND asked_at < clock_timestamp() - make_interval(days => $1)`;
