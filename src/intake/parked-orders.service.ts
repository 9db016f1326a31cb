import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { storable } from './intake.errors';

/** An order that a poll listed and that cannot be applied as it is. */
export interface UnusableOrder {
  orderId: string | undefined;
  code: string;
  reason: string;
  /** As JSON text, for the person who looks into it. */
  body: string;
}

const LONGEST_BODY = 100_000;

/** Listed orders that wait for a person. Listed again they are the same ones, until they can be applied. */
@Injectable()
export class ParkedOrdersService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** A dismissed order stays so while its body does. Answers how many wait that did not before. */
  async park(channel: string, since: Date, orders: readonly UnusableOrder[]): Promise<number> {
    let fresh = 0;
    for (const { orderId, code, reason, body } of orders) {
      const identity = createHash('sha256')
        .update(orderId === undefined ? `body ${body}` : `id ${orderId}`)
        .digest();
      const rows: { fresh: boolean }[] = await this.dataSource.query(PARK, [
        channel,
        orderId === undefined ? null : storable(orderId, 200),
        identity,
        code,
        storable(reason, 2_000),
        storable(body, LONGEST_BODY),
        since,
      ]);
      if (rows[0]!.fresh) fresh++;
    }
    return fresh;
  }

  /** These orders have been applied: what was parked of them is past. */
  async settle(channel: string, orderIds: readonly string[]): Promise<void> {
    await this.dataSource.query(
      `UPDATE parked_orders SET state = 'applied'
        WHERE channel = $1 AND order_id = ANY($2::text[]) AND state IN ('parked', 'retrying')`,
      [channel, orderIds],
    );
  }

  /** A complete poll read as far back as these were listed, and did not list them. */
  async noteMissing(channel: string, since: Date, startedAt: Date): Promise<void> {
    await this.dataSource.query(
      `UPDATE parked_orders SET state = 'parked', code = 'not-listed',
              reason = 'the channel does not list this order any more; look it up there, then dismiss it'
        WHERE channel = $1 AND state = 'retrying' AND listed_since >= $2 AND seen_at < $3`,
      [channel, since, startedAt],
    );
  }
}

const PARK = `
  INSERT INTO parked_orders AS p (channel, order_id, identity, code, reason, body, listed_since)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (channel, identity) DO UPDATE
    SET code = excluded.code, reason = excluded.reason, body = excluded.body, times = p.times + 1,
        seen_at = clock_timestamp(), listed_since = least(p.listed_since, excluded.listed_since),
        parked_at = CASE WHEN p.state IN ('parked', 'retrying') THEN p.parked_at ELSE clock_timestamp() END,
        state = CASE WHEN p.state = 'dismissed' AND p.body = excluded.body THEN 'dismissed' ELSE 'parked' END
  RETURNING times = 1 AS fresh`;
