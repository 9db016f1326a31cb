import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { poolOf } from '../database/pool';

/** A poll that this host has the lease of. */
export interface OrderPoll {
  channel: string;
  lease: string;
  startedAt: Date;
  since: Date;
  /** Where an earlier attempt at the same poll broke off. */
  cursor: string | null;
}

/** Longer than a page takes with all the retries of its call; renewed with each page. */
const LEASE_SECONDS = 120;

/** After so many failures in a row the cursor itself may be what is wrong: the poll starts anew. */
const CURSOR_ATTEMPTS = 3;

/** The rows of `order_polls`: how far each channel's orders have been read, and who is reading. */
export class OrderPollRecords {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Notes that a poll beginning from now on is wanted, and begins it or goes on with the one that broke off.
   * Undefined while another has the lease, who will see that one more is wanted.
   */
  async begin(channel: string, overlapSeconds: number): Promise<OrderPoll | undefined> {
    const lease = randomUUID();
    await this.run(WANT, [channel]);
    const [row] = await this.run<Omit<OrderPoll, 'channel' | 'lease'>>(BEGIN, [
      channel,
      lease,
      overlapSeconds,
      LEASE_SECONDS,
    ]);
    return row && { ...row, channel, lease };
  }

  /** A channel seen for the first time is read from now on, whenever its first poll may be. */
  async know(channel: string, lookbackSeconds: number): Promise<void> {
    await this.run(KNOW, [channel, lookbackSeconds]);
  }

  /** What came before `cursor` is applied. False when the lease has gone to another. */
  async keepCursor({ channel, lease }: OrderPoll, cursor: string): Promise<boolean> {
    const rows = await this.run(
      `UPDATE order_polls SET cursor = $3, failures = 0, lease_until = clock_timestamp() + make_interval(secs => $4)
        WHERE channel = $1 AND lease = $2 RETURNING 1`,
      [channel, lease, cursor, LEASE_SECONDS],
    );
    return rows.length > 0;
  }

  /** All is applied. True when another poll was wanted since this one began; undefined when the lease was lost. */
  async finish({ channel, lease }: OrderPoll, orders: number): Promise<boolean | undefined> {
    const [row] = await this.run<{ again: boolean }>(FINISH, [channel, lease, orders]);
    return row?.again;
  }

  /** The next attempt goes on from the cursor, unless that is `hopeless` or has failed too often. */
  async fail({ channel, lease }: OrderPoll, error: string, hopeless: boolean): Promise<void> {
    await this.run(FAIL, [channel, lease, error, hopeless ? 1 : CURSOR_ATTEMPTS]);
  }

  /** Stops at a page's end; whoever comes next goes on from there. */
  async release({ channel, lease }: OrderPoll): Promise<void> {
    await this.run(
      `UPDATE order_polls SET lease = NULL, lease_until = '-infinity' WHERE channel = $1 AND lease = $2`,
      [channel, lease],
    );
  }

  /** Undefined before the first complete poll. */
  async coveredAt(channel: string): Promise<Date | undefined> {
    const [row] = await this.run<{ covered_at: Date | null }>(
      'SELECT covered_at FROM order_polls WHERE channel = $1',
      [channel],
    );
    return row?.covered_at ?? undefined;
  }

  private async run<Row extends object = object>(text: string, values: unknown[]): Promise<Row[]> {
    return (await poolOf(this.dataSource).query<Row>(text, values)).rows;
  }
}

const KNOW = `
  INSERT INTO order_polls (channel, since) VALUES ($1, clock_timestamp() - make_interval(secs => $2))
  ON CONFLICT (channel) DO UPDATE SET since = coalesce(order_polls.since, excluded.since)`;

const WANT = `UPDATE order_polls SET wanted_at = clock_timestamp() WHERE channel = $1`;

/** Whole milliseconds, which is what a time read back has: a poll goes on with the very \`since\` it began with. */
const BEGIN = `
  UPDATE order_polls SET lease = $2, lease_until = clock_timestamp() + make_interval(secs => $4),
         started_at = CASE WHEN cursor IS NULL THEN clock_timestamp() ELSE started_at END,
         since = CASE WHEN cursor IS NULL
           THEN date_trunc('milliseconds', least(reread_from, coalesce(covered_at - make_interval(secs => $3), since)))
           ELSE since END
   WHERE channel = $1 AND lease_until < clock_timestamp()
  RETURNING started_at AS "startedAt", since, cursor`;

/** Another poll is wanted, too, when it must read further back than this one did. */
const FINISH = `
  UPDATE order_polls SET covered_at = greatest(covered_at, started_at), cursor = NULL, finished_at = clock_timestamp(),
         orders = $3, failures = 0, failing_since = NULL, error = NULL, lease = NULL, lease_until = '-infinity',
         reread_from = CASE WHEN reread_from < since THEN reread_from END
   WHERE channel = $1 AND lease = $2
  RETURNING wanted_at > started_at OR reread_from IS NOT NULL AS again`;

const FAIL = `
  UPDATE order_polls SET error = $3, failures = failures + 1, failing_since = coalesce(failing_since, clock_timestamp()),
         cursor = CASE WHEN failures + 1 >= $4 THEN NULL ELSE cursor END, lease = NULL, lease_until = '-infinity'
   WHERE channel = $1 AND lease = $2`;
