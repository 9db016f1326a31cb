import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { ChannelsService } from '../channels/channels.service';
import { inTransaction, poolOf } from '../database/pool';
import { errorText, NotParkedHereError, WrongStateError } from './intake.errors';
import { OrdersService } from './orders.service';
import type { ActedBy } from './parked.service';

export type OversellState =
  'held' | 'grace' | 'backordered' | 'cancelling' | 'pending' | 'resolved' | 'closed';

export interface Oversell {
  id: number;
  channel: string;
  orderId: string;
  state: OversellState;
  units: number;
  /** A worker is asking the channel about it. */
  leased: boolean;
}

/** What is done once a shortfall is found, by the channel's policy and what the channel can do. */
export interface FirstStep {
  state: 'held' | 'grace' | 'backordered';
  note: string | null;
  graceSeconds: number;
}

/** What a person may decide: from which states to which. */
export interface OversellDecision {
  action: string;
  from: readonly OversellState[];
  to: OversellState;
  /** States in which it has been done. */
  already?: readonly OversellState[];
}

export const CANCEL_ORDERS = 'cancel-orders';
export const FILL_BACKORDERS = 'fill-backorders';
const BACKORDERS_AT_ONCE = 100;

/** Orders that the ledger cannot cover: found from its shortfalls, and taken through what is decided about each. */
@Injectable()
export class OversellsService {
  private readonly log = new Logger('intake');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly orders: OrdersService,
  ) {}

  /** Brings the oversells to what the shortfalls say: new ones get their first step, covered ones are resolved. */
  async follow(): Promise<void> {
    await poolOf(this.dataSource).query(RESOLVE);
    const channels = this.channels.all();
    const steps = channels.map(({ name }) => this.firstStep(name));
    await poolOf(this.dataSource).query(OPEN, [
      channels.map(({ name }) => name),
      steps.map((step) => step.state),
      steps.map((step) => step.note),
      steps.map((step) => step.graceSeconds),
    ]);
  }

  /** What the channel's policy begins with. */
  firstStep(name: string): FirstStep {
    const { policy, graceSeconds } = this.channels.get(name).config.shortfall;
    if (policy === 'backorder') return { state: 'backordered', note: null, graceSeconds: 0 };
    const cannot = policy === 'cancel' ? this.whyNotCancelled(name, true) : undefined;
    if (policy === 'hold' || cannot !== undefined)
      return { state: 'held', note: cannot ?? null, graceSeconds: 0 };
    return { state: 'grace', note: null, graceSeconds };
  }

  /** Undefined where the channel's orders can be cancelled from here. */
  whyNotCancelled(name: string, byPolicy: boolean): string | undefined {
    const channel = this.channels.get(name);
    if (channel.config.mode === 'observe') return 'the channel is only observed: nothing is changed outside';
    if (byPolicy && channel.config.mode !== 'live')
      return 'orders are cancelled by policy only where the mode is live';
    if (channel.state === 'failed')
      return byPolicy ? undefined : `the channel is not served: ${channel.error}`;
    if (!channel.capabilities.cancelsOrders) return `the plugin ${channel.pluginName} cannot cancel orders`;
    return undefined;
  }

  /**
   * Has the state changed by a person, who is noted. Asked for what is already so, nothing changes. Throws
   * `NotParkedHereError`, and `WrongStateError` where its state is not one of `from`, or its channel is being asked.
   */
  async decide(
    id: number,
    { action, from, to, already = [to] }: OversellDecision,
    by: ActedBy,
    further: (client: PoolClient, oversell: Oversell) => Promise<void> = async () => undefined,
  ): Promise<void> {
    await inTransaction(this.dataSource, async (client) => {
      const found = await client.query<Oversell>(`${READ_ONE} FOR UPDATE`, [id]);
      const oversell = found.rows[0];
      if (!oversell) throw new NotParkedHereError('oversell');
      if (already.includes(oversell.state)) return;
      if (oversell.leased)
        throw new WrongStateError('the channel is being asked about it right now; ask again soon');
      if (!from.includes(oversell.state))
        throw new WrongStateError(`it is ${oversell.state}; that can be done while it is ${from.join(', ')}`);
      await client.query(DECIDE, [id, to, by.reason ?? null]);
      await further(client, oversell);
      await client.query(
        `INSERT INTO intake_actions (subject, subject_id, action, reason, actor) VALUES ('oversell', $1, $2, $3, $4)`,
        [id, action, by.reason ?? null, by.actor],
      );
    });
  }

  /** Throws `NotParkedHereError`. */
  async get(id: number): Promise<Oversell> {
    const found = await poolOf(this.dataSource).query<Oversell>(READ_ONE, [id]);
    if (!found.rows[0]) throw new NotParkedHereError('oversell');
    return found.rows[0];
  }

  /** Takes what is there now for the order. Answers the units reserved. */
  async tryAgain({ channel, orderId }: Pick<Oversell, 'channel' | 'orderId'>): Promise<number> {
    const settlement = await this.orders.tryAgain(channel, orderId);
    return settlement?.reserved ?? 0;
  }

  /** Stock that has come goes to the oldest orders first. */
  async fillBackorders(): Promise<void> {
    let filled = 0;
    do {
      const due = await poolOf(this.dataSource).query<Oversell>(FILLABLE, [BACKORDERS_AT_ONCE]);
      filled = 0;
      for (const oversell of due.rows) {
        try {
          if ((await this.tryAgain(oversell)) > 0) filled++;
        } catch (error) {
          // One order's trouble is not the next one's.
          this.log.warn(`${oversell.channel}: a backorder could not be filled: ${errorText(error, 500)}`);
        }
      }
      if (due.rows.length < BACKORDERS_AT_ONCE) break;
    } while (filled > 0);
    await this.follow();
  }

  /** SKUs that a backorder waits for. */
  async awaitedSkus(): Promise<Set<number>> {
    const found = await poolOf(this.dataSource).query<{ sku_id: number }>(
      `SELECT DISTINCT s.sku_id FROM shortfalls s JOIN oversells o ON o.channel = s.channel AND o.order_id = s.order_id
        WHERE s.state = 'open' AND s.cause = 'order' AND o.state = 'backordered'`,
    );
    return new Set(found.rows.map((row) => row.sku_id));
  }
}

const READ_ONE = `
  SELECT id, channel, order_id AS "orderId", state, units, lease_until >= clock_timestamp() AS leased
    FROM oversells WHERE id = $1`;

const RESOLVE = `
  UPDATE oversells o SET state = 'resolved', units = 0, note = NULL, closed_units = NULL, changed_at = clock_timestamp()
   WHERE state <> 'resolved' AND NOT EXISTS (
     SELECT FROM shortfalls s WHERE s.channel = o.channel AND s.order_id = o.order_id AND s.cause = 'order' AND s.state = 'open')`;

/** One that a person closed opens again when more is short than was then. */
const REOPENS = `(o.state = 'resolved' OR (o.state = 'closed' AND excluded.units > o.closed_units))`;

const OPEN = `
  INSERT INTO oversells AS o (channel, order_id, units, state, note, due_at)
  SELECT s.channel, s.order_id, s.units, p.state, p.note, clock_timestamp() + make_interval(secs => p.grace)
    FROM (SELECT channel, order_id, sum(quantity)::bigint AS units FROM shortfalls
           WHERE state = 'open' AND cause = 'order' GROUP BY channel, order_id) s
    JOIN unnest($1::text[], $2::text[], $3::text[], $4::float8[]) AS p (channel, state, note, grace) USING (channel)
   ORDER BY s.channel, s.order_id
  ON CONFLICT (channel, order_id) DO UPDATE SET units = excluded.units,
    state = CASE WHEN ${REOPENS} THEN excluded.state ELSE o.state END,
    note = CASE WHEN ${REOPENS} THEN excluded.note ELSE o.note END,
    due_at = CASE WHEN ${REOPENS} THEN excluded.due_at ELSE o.due_at END,
    opened_at = CASE WHEN ${REOPENS} THEN clock_timestamp() ELSE o.opened_at END,
    closed_units = CASE WHEN ${REOPENS} THEN NULL ELSE o.closed_units END, changed_at = clock_timestamp()
  WHERE o.units <> excluded.units OR ${REOPENS}`;

const DECIDE = `
  UPDATE oversells SET state = $2, note = $3, due_at = clock_timestamp(), changed_at = clock_timestamp(),
         closed_units = CASE WHEN $2 = 'closed' THEN units END WHERE id = $1`;

const FILLABLE = `
  SELECT o.id, o.channel, o.order_id AS "orderId" FROM oversells o
    JOIN orders d ON d.channel = o.channel AND d.order_id = o.order_id
   WHERE o.state = 'backordered' AND EXISTS (
     SELECT FROM shortfalls s JOIN levels l ON l.sku_id = s.sku_id AND l.available > 0
                                           AND l.location_id = coalesce(s.location_id, l.location_id)
      WHERE s.channel = o.channel AND s.order_id = o.order_id AND s.cause = 'order' AND s.state = 'open')
   ORDER BY d.placed_at, o.id LIMIT $1`;
