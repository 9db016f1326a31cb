import type { Pool, PoolClient, QueryResult } from 'pg';
import { LimitsUnavailableError, type LimitState, type LimitStore } from '../channel-api';

/**
 * Limits of one channel in PostgreSQL, changed under their row locks, by the database's clock. The commit is
 * not waited for to reach the disk: what a crash of the database takes with it is less than a second of calls.
 */
export class SharedLimitStore implements LimitStore {
  constructor(
    private readonly pool: Pool,
    private readonly channel: string,
  ) {}

  /** Throws `LimitsUnavailableError`: without knowing what the others have used, nothing may be sent. */
  async update<T>(
    limits: readonly string[],
    change: (states: Map<string, LimitState>, nowMs: number) => T,
  ): Promise<T> {
    let client: PoolClient | undefined;
    try {
      client = await this.pool.connect();
      let states = await this.lock(client, limits);
      if (states.rows.length < limits.length) {
        await client.query('ROLLBACK');
        await client.query(CREATE, [this.channel, limits]);
        states = await this.lock(client, limits);
      }
      const result = await this.keep(client, states, change);
      client.release();
      return result;
    } catch (error) {
      // What the connection was in the middle of is not known: it is ended, and its transaction with it.
      client?.release(true);
      throw new LimitsUnavailableError(
        `${this.channel}: not sent, for the database that counts the channel's limits cannot be used (${(error as Error).message}); the call is tried again later`,
      );
    }
  }

  private async lock(client: PoolClient, limits: readonly string[]): Promise<QueryResult<LockedRow>> {
    const begun = client.query(BEGIN);
    const locked = client.query<LockedRow>({
      name: 'lock-limits',
      text: LOCK,
      values: [this.channel, limits],
    });
    const [rows] = await Promise.all([locked, begun]);
    return rows;
  }

  private async keep<T>(
    client: PoolClient,
    { rows }: QueryResult<LockedRow>,
    change: (states: Map<string, LimitState>, nowMs: number) => T,
  ): Promise<T> {
    const states = new Map(rows.flatMap(({ name, state }) => (state ? [[name, state] as const] : [])));
    // The last row's clock was read when all of them were locked.
    const result = change(states, Math.max(...rows.map(({ now }) => now)));
    const kept = [...states];
    const values = [this.channel, kept.map(([name]) => name), kept.map(([, state]) => JSON.stringify(state))];
    await Promise.all([client.query({ name: 'keep-limits', text: KEEP, values }), client.query('COMMIT')]);
    return result;
  }
}

interface LockedRow {
  name: string;
  state: LimitState | null;
  now: number;
}

/** A host that is stopped in the middle must not keep the others from calling for long. */
const BEGIN = `BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL lock_timeout = '3s';
  SET LOCAL idle_in_transaction_session_timeout = '2s'`;

/** `clock_timestamp()` is read after the lock, above it in the plan: an earlier one would refill twice. */
const LOCK = `
  WITH locked AS MATERIALIZED (
    SELECT name, state FROM channel_limits WHERE channel = $1 AND name = ANY($2::text[]) ORDER BY name FOR UPDATE
  )
  SELECT name, nullif(state, 'null') AS state, extract(epoch FROM clock_timestamp())::float8 * 1000 AS now FROM locked`;

/** Before the lock and by itself, so that of two hosts which find no row neither starts one over the other's. */
const CREATE = `
  INSERT INTO channel_limits (channel, name, state) SELECT $1, l.name, 'null' FROM unnest($2::text[]) AS l (name)
  ON CONFLICT DO NOTHING`;

const KEEP = `
  UPDATE channel_limits c SET state = s.state, updated_at = clock_timestamp()
    FROM unnest($2::text[], $3::jsonb[]) AS s (name, state) WHERE c.channel = $1 AND c.name = s.name`;
