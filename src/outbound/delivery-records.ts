import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Outcome, Outgoing } from './sender';

/**
 * How long to wait after the first, second, … attempt that failed: 27.6 hours in all, as Svix does
 * (https://docs.svix.com/retries). After the last one the delivery is given up.
 */
export const RETRY_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
/** A receiver that has failed so often in a row is sent one delivery at a time, with growing pauses. */
export const FAILURES_BEFORE_PAUSE = 5;
const FIRST_PAUSE_SECONDS = 5;
const LONGEST_PAUSE_SECONDS = 300;
/** What a receiver that is away, or is configured no more, never got by then is given up. */
const LONGEST_WAIT_DAYS = 5;
const AT_ONCE = 5_000;

/** One delivery to be made. */
export interface NewDelivery {
  receiver: string;
  event: string;
  subject: string;
  channel: string | null;
  stateOf: string | null;
  version: number;
  body: string;
}

export interface Claim {
  lease: string;
  deliveries: (Outgoing & { attempts: number })[];
}

/** The rows of `deliveries` and `receivers`. */
export class DeliveryRecords {
  constructor(private readonly pool: Pool) {}

  /** In the caller's transaction. Answers the receivers that have something to get. */
  async add(client: PoolClient, deliveries: readonly NewDelivery[]): Promise<string[]> {
    if (deliveries.length === 0) return [];
    await client.query(ADD, [JSON.stringify(deliveries)]);
    return [...new Set(deliveries.map(({ receiver }) => receiver))];
  }

  /** This caller's alone until its lease ends. Counted as an attempt from here on, whatever becomes of it. */
  async claim(receiver: string, limit: number, leaseSeconds: number): Promise<Claim> {
    const lease = randomUUID();
    const { rows } = await this.pool.query<Claim['deliveries'][number]>(CLAIM, [
      receiver,
      lease,
      limit,
      leaseSeconds,
      FAILURES_BEFORE_PAUSE,
    ]);
    return { lease, deliveries: rows };
  }

  /** A sender whose lease ended changes nothing: another one has sent it meanwhile, and tells of that. */
  async record(receiver: string, { lease, deliveries }: Claim, outcomes: readonly Outcome[]): Promise<void> {
    const rows = deliveries.map(({ id }, index) => ({ id, ...outcomes[index]! }));
    await this.pool.query(RECORD, [lease, JSON.stringify(rows), RETRY_SECONDS]);
    await this.note(receiver, outcomes);
  }

  /** What the receiver's state is after these outcomes. */
  async note(receiver: string, outcomes: readonly Outcome[]): Promise<void> {
    const gone = outcomes.find((outcome) => outcome.gone);
    if (gone) {
      await this.pool.query(DISABLE, [receiver, gone.status, gone.error]);
      return;
    }
    const success = outcomes.find((outcome) => outcome.delivered);
    if (success) await this.pool.query(SUCCEEDED, [receiver, success.status]);
    const last = outcomes.at(-1);
    if (!success && last)
      await this.pool.query(FAILED, [
        receiver,
        last.status,
        last.error,
        FAILURES_BEFORE_PAUSE,
        FIRST_PAUSE_SECONDS,
        LONGEST_PAUSE_SECONDS,
      ]);
  }

  /** Makes them due now, as if for the first time. Answers the receivers. */
  async retry(which: { id: string } | { receiver: string | null }): Promise<string[]> {
    const { rows } = await this.pool.query<{ receiver: string }>(RETRY, [
      'id' in which ? which.id : null,
      'id' in which ? null : which.receiver,
    ]);
    return rows.map(({ receiver }) => receiver);
  }

  /** Gives up what has waited for days, and forgets what has been over for `keepDays`. */
  async purge(keepDays: number): Promise<void> {
    await this.pool.query(GIVE_UP_OLD, [LONGEST_WAIT_DAYS]);
    for (let deleted = AT_ONCE; deleted === AT_ONCE;) {
      const { rowCount } = await this.pool.query(PURGE, [keepDays, AT_ONCE]);
      deleted = rowCount ?? 0;
    }
  }
}

/**
 * A newer state takes the place of one that was never sent. Those that are being sent, or were tried, keep their
 * content with their id. In one order, against deadlocks of two hosts that add.
 */
const ADD = `
  INSERT INTO deliveries (receiver, event, subject, channel, state_of, version, body)
  SELECT d.receiver, d.event, d.subject, d.channel, d."stateOf", d.version, d.body
    FROM jsonb_to_recordset($1::jsonb) AS d (receiver text, event text, subject text, channel text, "stateOf" text, version bigint, body text)
    JOIN receivers r ON r.name = d.receiver AND r.disabled_at IS NULL
   ORDER BY d.receiver, d."stateOf", d.version
  ON CONFLICT (receiver, state_of) WHERE state = 'waiting' AND attempts = 0 DO UPDATE
    SET event = excluded.event, subject = excluded.subject, channel = excluded.channel, version = excluded.version, body = excluded.body
  WHERE deliveries.version < excluded.version`;

const CLAIM = `
  WITH due AS (
    SELECT d.id FROM deliveries d JOIN receivers r ON r.name = d.receiver
     WHERE d.receiver = $1 AND d.state = 'waiting' AND d.next_at <= clock_timestamp() AND d.lease_until <= clock_timestamp()
       AND r.disabled_at IS NULL AND r.not_before <= clock_timestamp()
     ORDER BY d.next_at, d.nr LIMIT (SELECT CASE WHEN failures >= $5 THEN 1 ELSE $3::int END FROM receivers WHERE name = $1)
       FOR UPDATE OF d SKIP LOCKED),
  claimed AS (
    UPDATE deliveries d SET lease = $2, lease_until = clock_timestamp() + make_interval(secs => $4), attempts = d.attempts + 1
      FROM due WHERE d.id = due.id RETURNING d.nr, d.id, d.event, d.subject, d.body, d.attempts)
  SELECT id, event, subject, body, attempts FROM claimed ORDER BY nr`;

/** Pauses differ by up to a tenth, so that what failed together does not come together again. */
const RECORD = `
  UPDATE deliveries d
     SET state = CASE WHEN o.delivered THEN 'delivered' WHEN d.attempts > cardinality($3::float8[]) THEN 'given-up' ELSE 'waiting' END,
         status = o.status, error = o.error, lease = NULL, lease_until = '-infinity',
         finished_at = CASE WHEN o.delivered OR d.attempts > cardinality($3::float8[]) THEN clock_timestamp() END,
         next_at = clock_timestamp() + make_interval(secs => greatest(
           coalesce(($3::float8[])[d.attempts], 0) * (0.9 + 0.2 * random()), coalesce(o."retryAfterSeconds", 0)))
    FROM jsonb_to_recordset($2::jsonb) AS o (id uuid, delivered boolean, status integer, error text, "retryAfterSeconds" float8)
   WHERE d.id = o.id AND d.lease = $1`;

const SUCCEEDED = `
  UPDATE receivers SET failures = 0, failing_since = NULL, not_before = '-infinity', status = $2, error = NULL,
         delivered_at = clock_timestamp(), disabled_at = NULL WHERE name = $1`;

const FAILED = `
  UPDATE receivers SET failures = failures + 1, failing_since = coalesce(failing_since, clock_timestamp()), status = $2, error = $3,
         not_before = CASE WHEN failures + 1 < $4 THEN '-infinity' ELSE clock_timestamp() + make_interval(secs =>
           least($6, $5 * power(2, least(failures + 1 - $4, 20))) * (0.9 + 0.2 * random())) END
   WHERE name = $1`;

const DISABLE = `
  WITH disabled AS (
    UPDATE receivers SET disabled_at = coalesce(disabled_at, clock_timestamp()), status = $2, error = $3, failures = failures + 1,
           failing_since = coalesce(failing_since, clock_timestamp()) WHERE name = $1)
  UPDATE deliveries SET state = 'given-up', finished_at = clock_timestamp(), error = coalesce(error, $3), lease = NULL, lease_until = '-infinity'
   WHERE receiver = $1 AND state = 'waiting'`;

/** Their content stays with their id, so they count as tried. */
const RETRY = `
  UPDATE deliveries SET state = 'waiting', attempts = 1, next_at = clock_timestamp(), finished_at = NULL
   WHERE state <> 'delivered' AND lease_until <= clock_timestamp()
     AND (id = $1::uuid OR $1::uuid IS NULL AND state = 'given-up' AND ($2::text IS NULL OR receiver = $2)) RETURNING receiver`;

const GIVE_UP_OLD = `
  UPDATE deliveries SET state = 'given-up', finished_at = clock_timestamp(), error = coalesce(error, 'the receiver was not reached for days')
   WHERE state = 'waiting' AND next_at < clock_timestamp() - make_interval(days => $1) AND lease_until <= clock_timestamp()`;

const PURGE = `
  DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries WHERE finished_at < clock_timestamp() - make_interval(days => $1) ORDER BY finished_at LIMIT $2)`;
