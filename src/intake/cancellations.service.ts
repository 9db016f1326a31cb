import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { type CancelResult, ChannelProtocolError, type OrderDocument } from '../channel-api';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { inTransaction, poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import { withinDeadline } from './deadline';
import { errorText, storable } from './intake.errors';
import { OrderPollsService } from './order-polls.service';
import { POLL_ORDERS } from './order-polls.worker';
import type { LineMapping } from './orders.service';
import {
  apology,
  type CancelledLine,
  isCancelledIn,
  linesToCancel,
  type ShortUnits,
} from './oversell-cancel';
import { type Oversell, OversellsService } from './oversells.service';

/** A claimed oversell, which is no other worker's until its lease ends. */
type ClaimedOversell = Oversell & { lease: string };

interface Cancellation {
  id: string;
  lines: CancelledLine[];
  reason: string;
  message: string;
  attempts: number;
  calledAt: Date | null;
}

/** Longer than a call takes with its timeouts and retries. */
const LEASE_SECONDS = 120;
const CALL_SECONDS = 90;
const MAX_ATTEMPTS = 20;
const LONGEST_DELAY_SECONDS = 300;
/** How long an order may take to say that it is cancelled, until a person is asked to look. */
const FOLLOW_UP_SECONDS = 86_400;

/**
 * Has channels cancel what cannot be sent, at most once: the intent is committed before the call, a call
 * whose outcome is not known is repeated with the same id and content, and only after a look at the order.
 */
@Injectable()
export class CancellationsService {
  private readonly log = new Logger('intake');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly oversells: OversellsService,
    private readonly polls: OrderPollsService,
    private readonly jobs: JobsService,
  ) {}

  /**
   * Writes what is to be cancelled, in the caller's transaction, which has the oversell locked. A cancellation
   * that was begun and whose outcome is open is gone on with. Returns false when there is nothing to cancel.
   */
  async intend(client: PoolClient, oversell: Oversell, actor: string, message?: string): Promise<boolean> {
    await client.query(
      `UPDATE cancellations SET state = 'superseded' WHERE oversell_id = $1 AND state = 'intended' AND called_at IS NULL`,
      [oversell.id],
    );
    const begun = await client.query(
      `UPDATE cancellations SET state = 'intended', attempts = 0
        WHERE oversell_id = $1 AND state IN ('intended', 'cancelled', 'pending') RETURNING id`,
      [oversell.id],
    );
    if (begun.rows.length > 0) return true;
    const draft = await this.draft(client, oversell);
    if (!draft) return false;
    await client.query(
      `INSERT INTO cancellations (id, oversell_id, channel, order_id, lines, reason, message, actor)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        randomUUID(),
        oversell.id,
        oversell.channel,
        oversell.orderId,
        JSON.stringify(draft.lines),
        draft.reason,
        message ?? draft.message,
        actor,
      ],
    );
    return true;
  }

  /** What the channel would be asked now, in its template's words; undefined when there is nothing to cancel. */
  async draft(
    client: Pick<PoolClient, 'query'>,
    { channel, orderId }: Pick<Oversell, 'channel' | 'orderId'>,
  ): Promise<{ lines: CancelledLine[]; reason: string; message: string } | undefined> {
    const known = await client.query<{ document: OrderDocument; mapping: LineMapping; short: ShortUnits[] }>(
      READ_SHORT_ORDER,
      [channel, orderId],
    );
    if (!known.rows[0]) return undefined;
    const { document, mapping, short } = known.rows[0];
    const lines = linesToCancel(document, mapping, short ?? []);
    if (lines.length === 0) return undefined;
    const { reason, message } = this.channels.get(channel).config.shortfall;
    return { lines, reason, message: apology(message, channel, document, lines) };
  }

  /** All that is due on the channel, one after the other. */
  async cancelDue(channel: ReadyChannel): Promise<void> {
    for (;;) {
      const lease = randomUUID();
      const claimed = await poolOf(this.dataSource).query<Oversell>(CLAIM, [
        channel.name,
        lease,
        LEASE_SECONDS,
      ]);
      const oversell = claimed.rows[0];
      if (!oversell) return;
      await this.work(channel, { ...oversell, lease });
    }
  }

  /** Which orders say by now that they are cancelled, and which should have long since. */
  async followUp(): Promise<void> {
    const open = await poolOf(this.dataSource).query<{
      id: string;
      oversellId: number;
      lines: CancelledLine[];
      document: OrderDocument;
    }>(OPEN_CANCELLATIONS);
    for (const { id, oversellId, lines, document } of open.rows)
      if (isCancelledIn(document, lines)) await this.finish(id, oversellId);
    await poolOf(this.dataSource).query(OVERDUE, [FOLLOW_UP_SECONDS]);
  }

  /** Channels with orders to be cancelled now. */
  async channelsDue(): Promise<string[]> {
    const found = await poolOf(this.dataSource).query<{ channel: string }>(
      `SELECT DISTINCT channel FROM oversells
        WHERE state IN ('grace', 'cancelling') AND due_at <= clock_timestamp() AND lease_until < clock_timestamp()`,
    );
    return found.rows.map(({ channel }) => channel);
  }

  private async work(channel: ReadyChannel, oversell: ClaimedOversell): Promise<void> {
    const cannot = this.oversells.whyNotCancelled(channel.name, oversell.state === 'grace');
    if (cannot !== undefined) return this.settle(oversell, 'held', cannot);
    if (oversell.state === 'grace') {
      // A restock that came meanwhile wins.
      await this.oversells.tryAgain(oversell);
      return this.begin(oversell);
    }
    await this.ask(channel, oversell);
  }

  /** From here on it is cancelling: the intent is committed, and the next claim makes the call. */
  private async begin(oversell: ClaimedOversell): Promise<void> {
    const intended = await inTransaction(this.dataSource, async (client) => {
      const held = await client.query('SELECT FROM oversells WHERE id = $1 AND lease = $2 FOR UPDATE', [
        oversell.id,
        oversell.lease,
      ]);
      if (held.rows.length === 0) return undefined;
      const something = await this.intend(client, oversell, 'policy:cancel');
      await client.query(
        `UPDATE oversells SET state = CASE WHEN $2 THEN 'cancelling' ELSE state END, due_at = clock_timestamp(),
                lease_until = '-infinity', changed_at = clock_timestamp() WHERE id = $1`,
        [oversell.id, something],
      );
      return something;
    });
    if (intended === false) await this.noNeed(oversell);
  }

  /** Nothing is short any more, or what is has been shipped. */
  private async noNeed(oversell: ClaimedOversell): Promise<void> {
    await this.oversells.follow();
    const { state } = await this.oversells.get(oversell.id);
    if (state === 'grace' || state === 'cancelling')
      await this.hold(oversell.id, 'nothing of what is short can be cancelled any more');
  }

  private async ask(channel: ReadyChannel, oversell: ClaimedOversell): Promise<void> {
    const cancellation = await this.openCancellation(oversell);
    if (!cancellation) return this.noNeed(oversell);
    if (cancellation.calledAt && !(await this.isSeen(channel, cancellation.calledAt)))
      return this.postpone(oversell, cancellation, 'the orders must be read before it is asked again');
    await this.followUp();
    await this.oversells.follow();
    // The last look before the call: another document, a restock or a person may have been faster.
    const called = await poolOf(this.dataSource).query(CALL, [cancellation.id, oversell.id, oversell.lease]);
    if (called.rows.length === 0) return this.release(oversell);
    const { id: cancelId, lines, reason, message } = cancellation;
    try {
      const asked = channel.channel.cancelOrder!({
        cancelId,
        orderId: oversell.orderId,
        lines: lines.map(({ lineId, quantityUnits }) => ({ lineId, quantityUnits })),
        reason,
        message,
      });
      const result = await withinDeadline(asked, CALL_SECONDS, 'the cancellation');
      await this.record(oversell, cancelId, result);
    } catch (error) {
      await this.failed(oversell, cancellation, error);
    }
  }

  /** After a call whose outcome is not known: whether all that it may have changed has been read since. */
  private async isSeen(channel: ReadyChannel, calledAt: Date): Promise<boolean> {
    if (!channel.capabilities.readsOrders) return true;
    const isCovered = async () => ((await this.polls.coveredAt(channel.name)) ?? new Date(0)) > calledAt;
    if (await isCovered()) return true;
    // A channel that cannot be read now cannot be asked either; both are tried again later.
    await this.polls.poll(channel).catch(() => undefined);
    return isCovered();
  }

  private async record(oversell: ClaimedOversell, id: string, result: CancelResult): Promise<void> {
    switch (result?.outcome) {
      case 'cancelled':
      case 'pending': {
        const receipt = result.outcome === 'pending' ? storable(String(result.receipt), 500) : null;
        await this.answered(id, result.outcome, { receipt });
        await this.settle(oversell, 'pending', null);
        this.jobs.wake(POLL_ORDERS, oversell.channel);
        return;
      }
      case 'impossible': {
        const error = errorText(new Error(String(result.reason)));
        await this.answered(id, 'impossible', { error });
        return this.settle(oversell, 'held', `the channel cannot cancel it: ${error}`);
      }
      default:
        throw new ChannelProtocolError('the plugin must answer cancelled, pending or impossible');
    }
  }

  private async answered(
    id: string,
    state: 'cancelled' | 'pending' | 'impossible',
    { receipt = null, error = null }: { receipt?: string | null; error?: string | null },
  ): Promise<void> {
    await poolOf(this.dataSource).query(
      `UPDATE cancellations SET state = $2, receipt = $3, error = $4, answered_at = clock_timestamp()
        WHERE id = $1 AND state IN ('intended', 'superseded')`,
      [id, state, receipt, error],
    );
  }

  /** What became of the call is not known, unless the channel says so itself. */
  private async failed(oversell: ClaimedOversell, cancellation: Cancellation, error: unknown): Promise<void> {
    const text = errorText(error);
    this.log.warn(`${oversell.channel}: an order could not be cancelled: ${errorText(error, 500)}`);
    const hopeless = (error as { retryable?: boolean } | undefined)?.retryable === false;
    if (hopeless || cancellation.attempts + 1 >= MAX_ATTEMPTS) {
      await poolOf(this.dataSource).query('UPDATE cancellations SET error = $2 WHERE id = $1', [
        cancellation.id,
        text,
      ]);
      return this.settle(oversell, 'held', `it could not be cancelled: ${text}`);
    }
    await this.postpone(oversell, cancellation, text);
  }

  private async postpone(
    { id, lease }: ClaimedOversell,
    { id: cancelId, attempts }: Cancellation,
    error: string,
  ) {
    await poolOf(this.dataSource).query('UPDATE cancellations SET error = $2 WHERE id = $1', [
      cancelId,
      error,
    ]);
    const delaySeconds = Math.min(LONGEST_DELAY_SECONDS, 2 ** Math.min(attempts, 10));
    await poolOf(this.dataSource).query(
      `UPDATE oversells SET lease_until = '-infinity', due_at = clock_timestamp() + make_interval(secs => $3)
        WHERE id = $1 AND lease = $2`,
      [id, lease, delaySeconds],
    );
  }

  /** Ends the claim in a state, unless the shortfall has gone meanwhile or the claim is another's by now. */
  private async settle(
    { id, lease }: ClaimedOversell,
    state: 'held' | 'pending',
    note: string | null,
  ): Promise<void> {
    await poolOf(this.dataSource).query(
      `UPDATE oversells SET state = CASE WHEN state IN ('grace', 'cancelling') THEN $3 ELSE state END, note = $4,
              lease_until = '-infinity', due_at = clock_timestamp(), changed_at = clock_timestamp()
        WHERE id = $1 AND lease = $2`,
      [id, lease, state, note],
    );
  }

  private async hold(id: number, note: string): Promise<void> {
    await poolOf(this.dataSource).query(
      `UPDATE oversells SET state = 'held', note = $2, changed_at = clock_timestamp() WHERE id = $1`,
      [id, note],
    );
  }

  private async release({ id, lease }: ClaimedOversell): Promise<void> {
    await poolOf(this.dataSource).query(
      `UPDATE oversells SET lease_until = '-infinity', due_at = clock_timestamp() WHERE id = $1 AND lease = $2`,
      [id, lease],
    );
  }

  private async openCancellation({ id }: Oversell): Promise<Cancellation | undefined> {
    const found = await poolOf(this.dataSource).query<Cancellation>(
      `SELECT id, lines, reason, message, attempts, called_at AS "calledAt" FROM cancellations
        WHERE oversell_id = $1 AND state = 'intended'`,
      [id],
    );
    return found.rows[0];
  }

  /** The order says so. If more is short than was cancelled, that is a new case for the policy. */
  private async finish(id: string, oversellId: number): Promise<void> {
    await inTransaction(this.dataSource, async (client) => {
      await client.query(`UPDATE cancellations SET state = 'done' WHERE id = $1`, [id]);
      await client.query(
        `UPDATE oversells SET state = 'resolved', note = NULL, changed_at = clock_timestamp()
          WHERE id = $1 AND state IN ('cancelling', 'pending')`,
        [oversellId],
      );
    });
  }
}

const READ_SHORT_ORDER = `
  SELECT o.document, o.mapping,
         (SELECT jsonb_agg(jsonb_build_object('lineId', s.line_id, 'skuId', s.sku_id, 'quantity', s.quantity))
            FROM shortfalls s WHERE s.channel = o.channel AND s.order_id = o.order_id AND s.cause = 'order'
             AND s.state = 'open') AS short
    FROM orders o WHERE o.channel = $1 AND o.order_id = $2`;

const CLAIM = `
  UPDATE oversells SET lease = $2, lease_until = clock_timestamp() + make_interval(secs => $3)
   WHERE id = (SELECT id FROM oversells
                WHERE channel = $1 AND state IN ('grace', 'cancelling') AND due_at <= clock_timestamp()
                  AND lease_until < clock_timestamp()
                ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, channel, order_id AS "orderId", state, units`;

/** Written before the call, and only while the lease is held and the shortfall stands. */
const CALL = `
  UPDATE cancellations c SET called_at = clock_timestamp(), attempts = attempts + 1
    FROM oversells o
   WHERE c.id = $1 AND c.state = 'intended' AND o.id = $2 AND o.lease = $3 AND o.state = 'cancelling'
     AND o.lease_until > clock_timestamp()
  RETURNING c.id`;

const OPEN_CANCELLATIONS = `
  SELECT c.id, c.oversell_id AS "oversellId", c.lines, o.document
    FROM cancellations c JOIN orders o ON o.channel = c.channel AND o.order_id = c.order_id
   WHERE c.state IN ('intended', 'cancelled', 'pending')`;

const OVERDUE = `
  UPDATE oversells o SET state = 'held', changed_at = clock_timestamp(),
         note = 'the channel took the cancellation, but the order does not say so; look it up there'
   WHERE state = 'pending' AND changed_at < clock_timestamp() - make_interval(secs => $1)`;
