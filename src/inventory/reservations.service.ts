import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { ReservationPartLine, ReservationView, ReserveLine } from './commands';
import { viewOf } from './decide-reservation';
import { reservationOf } from './ledger-reader';
import { LedgerService, type Posted } from './ledger.service';
import type { ReservationState } from './reservation';
import { LIST_RESERVATIONS, type SkuReservationRow } from './reservation-list';

export interface ReservationRequest {
  reference?: string;
  lines: ReserveLine[];
  ttlSeconds?: number;
  partial: boolean;
}

const EXPIRIES_AT_ONCE = 1_000;

/** Reservations as the API and the sweep ask for them. */
@Injectable()
export class ReservationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly ledger: LedgerService,
  ) {}

  create(request: ReservationRequest, key: string, actor: string): Promise<Posted> {
    return this.ledger.post({ kind: 'reserve', reservationId: randomUUID(), ...request, key, actor });
  }

  change(
    kind: 'confirm' | 'release' | 'fulfil',
    reservationId: string,
    key: string,
    actor: string,
    lines?: ReservationPartLine[],
    occurredAt?: string,
  ): Promise<Posted> {
    return this.ledger.post({ kind, reservationId, lines, occurredAt, key, actor });
  }

  async find(id: string): Promise<ReservationView | undefined> {
    const [row] = await this.dataSource.query('SELECT * FROM reservations WHERE id = $1', [id]);
    if (!row) return undefined;
    const parts = await this.dataSource.query(
      'SELECT * FROM reservation_lines WHERE reservation_id = $1 ORDER BY line, part',
      [id],
    );
    return viewOf(reservationOf(row, parts));
  }

  /** A SKU's reservations, newest first, before the position given; see `LIST_RESERVATIONS`. */
  async ofSku(
    skuId: number,
    { state, before, limit }: { state: 'open' | 'all' | ReservationState; before?: number; limit: number },
  ): Promise<SkuReservationRow[]> {
    const exact = state === 'open' || state === 'all' ? null : state;
    return this.dataSource.query(LIST_RESERVATIONS, [skuId, state === 'open', exact, before ?? null, limit]);
  }

  /** Gives back the units of holds that are due by the database's clock. Returns how many expired. */
  async expireDue(): Promise<number> {
    const due: { id: string }[] = await this.dataSource.query(
      `SELECT id FROM reservations WHERE state = 'held' AND expires_at <= clock_timestamp()
        ORDER BY expires_at LIMIT ${EXPIRIES_AT_ONCE}`,
    );
    const posted = await Promise.all(
      due.map(({ id }) =>
        this.ledger.post({
          kind: 'expire',
          reservationId: id,
          key: `expire:${id}:${randomUUID()}`,
          actor: 'expiry',
        }),
      ),
    );
    return posted.filter(({ outcome, duplicate }) => !duplicate && 'reservation' in outcome).length;
  }
}
