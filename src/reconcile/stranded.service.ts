import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { inTransaction, poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';

const FIND_STRANDED = 'find-stranded';

export interface StrandedReservation {
  reservationId: string;
  channel: string | null;
  orderId: string | null;
  reference: string | null;
  state: string;
  units: number;
  skus: string[];
  reservedAt: Date;
}

/**
 * Reservations that nobody fulfils: units that cannot be sold and are not shipped. Looked for every so often and
 * kept in a table of their own, for there is no index for it on what every order writes.
 */
@Injectable()
export class StrandedService implements OnModuleInit {
  private readonly log = new Logger('reconcile');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(FIND_STRANDED, () => this.find());
    this.jobs.every(this.config.checks.strandedEverySeconds, FIND_STRANDED);
  }

  /** Oldest first. */
  async list(limit: number): Promise<StrandedReservation[]> {
    return (await poolOf(this.dataSource).query<StrandedReservation>(LIST, [limit])).rows;
  }

  private async find(): Promise<void> {
    const { strandedAfterHours } = this.config.checks;
    const found = await inTransaction(this.dataSource, async (client) => {
      await client.query('SET LOCAL statement_timeout = 0');
      await client.query('DELETE FROM stranded_reservations');
      return (await client.query(FIND, [strandedAfterHours])).rowCount ?? 0;
    });
    if (found > 0)
      this.log.warn(
        `${found} reservations are open for more than ${strandedAfterHours} hours and nobody fulfils them`,
      );
  }
}

const FIND = `
  INSERT INTO stranded_reservations (reservation_id, channel, order_id, reference, state, units, skus, reserved_at, found_at)
  SELECT r.id, r.channel, r.order_id, r.reference, r.state, sum(p.reserved - p.fulfilled - p.released),
         array_agg(DISTINCT s.code), r.created_at, clock_timestamp()
    FROM reservations r JOIN reservation_lines p ON p.reservation_id = r.id JOIN skus s ON s.id = p.sku_id
   WHERE r.state IN ('held', 'confirmed') AND r.created_at < clock_timestamp() - make_interval(hours => $1)
     AND p.reserved > p.fulfilled + p.released
   GROUP BY r.id`;

const LIST = `
  SELECT reservation_id AS "reservationId", channel, order_id AS "orderId", reference, state, units, skus, reserved_at AS "reservedAt"
    FROM stranded_reservations ORDER BY reserved_at, reservation_id LIMIT $1`;
