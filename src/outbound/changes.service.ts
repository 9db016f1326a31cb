import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient, QueryConfig } from 'pg';
import type { DataSource } from 'typeorm';
import { inTransaction } from '../database/pool';
import type { BatchCompanion } from '../inventory/ledger.service';
import { readDriftChanges, readLevels, readReservations } from './change-readers';
import { DeliveriesService } from './deliveries.service';
import type { OutboundEvent } from './outbound-event';
import { wantsKind } from './outbound-event';
import { ReceiversService } from './receivers.service';

const MARKS_AT_ONCE = 500;

interface Mark {
  id: number;
  sku_id: number | null;
  location_id: number | null;
  reservation_id: string | null;
}

/**
 * Makes events of what changed. The ledger's transactions leave marks, and only of kinds that a receiver wants;
 * an event is what the level or the reservation is when its mark is taken, so many changes may be one event.
 */
@Injectable()
export class ChangesService {
  readonly wants: { readonly stock: boolean; readonly reservation: boolean; readonly drift: boolean };

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly deliveries: DeliveriesService,
    receivers: ReceiversService,
  ) {
    const wants = (kind: string) => receivers.all().some((receiver) => wantsKind(kind, receiver));
    this.wants = { stock: wants('stock'), reservation: wants('reservation'), drift: wants('drift') };
  }

  /** What each batch of the ledger leaves behind. */
  readonly mark: BatchCompanion = ({ changed, reservations }) => {
    const marks: QueryConfig[] = [];
    if (this.wants.stock && changed.length > 0)
      marks.push({
        name: 'mark-levels',
        text: 'INSERT INTO outbound_marks (sku_id, location_id) SELECT * FROM unnest($1::int[], $2::int[])',
        values: [changed.map(({ skuId }) => skuId), changed.map(({ locationId }) => locationId)],
      });
    if (this.wants.reservation && reservations.length > 0)
      marks.push({
        name: 'mark-reservations',
        text: 'INSERT INTO outbound_marks (reservation_id) SELECT unnest($1::uuid[])',
        values: [reservations.map(({ id }) => id)],
      });
    return marks;
  };

  /** Makes deliveries of all that is marked, and of drifts that are in another state than was told. */
  async tell(): Promise<void> {
    while ((await this.tellPage((client) => this.takeMarks(client))) === MARKS_AT_ONCE);
    if (!this.wants.drift) return;
    while ((await this.tellPage((client) => readDriftChanges(client, MARKS_AT_ONCE))) === MARKS_AT_ONCE);
  }

  /** Answers how many were taken; they are gone, and their deliveries there, in one commit. */
  private async tellPage(
    take: (client: PoolClient) => Promise<{ taken: number; events: OutboundEvent[] }>,
  ): Promise<number> {
    const { taken, receivers } = await inTransaction(this.dataSource, async (client) => {
      const page = await take(client);
      return { taken: page.taken, receivers: await this.deliveries.add(client, page.events) };
    });
    this.deliveries.wake(receivers);
    return taken;
  }

  /** The marks are committed, so what is read after they were taken holds at least what they stand for. */
  private async takeMarks(client: PoolClient): Promise<{ taken: number; events: OutboundEvent[] }> {
    const { rows: marks } = await client.query<Mark>(TAKE_MARKS, [MARKS_AT_ONCE]);
    const levels = marks.filter(({ sku_id: sku }) => sku !== null);
    const reservations = marks.filter(({ reservation_id: id }) => id !== null);
    const events = [
      ...(await readLevels(
        client,
        levels.map((mark) => mark.sku_id!),
        levels.map((mark) => mark.location_id!),
      )),
      ...(await readReservations(
        client,
        reservations.map((mark) => mark.reservation_id!),
        reservations.map((mark) => mark.id),
      )),
    ];
    return { taken: marks.length, events };
  }
}

const TAKE_MARKS = `
  DELETE FROM outbound_marks WHERE id IN (
    SELECT id FROM outbound_marks ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id, sku_id, location_id, reservation_id`;
