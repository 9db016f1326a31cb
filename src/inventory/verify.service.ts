import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { inTransaction } from '../database/pool';
import { CatalogService } from './catalog.service';
import { type LedgerWatch, scanLedger } from './ledger-scan';
import { type Level, sameLevel } from './level';
import { levelKey } from './stock-draft';

export interface Violation {
  invariant: 'I1' | 'I2' | 'I3';
  message: string;
}

export interface Verification {
  ok: boolean;
  events: number;
  levels: number;
  reservations: number;
  /** How many there are; `violations` names the first of them. */
  violationCount: number;
  violations: Violation[];
}

const NAMED_VIOLATIONS = 100;
/** The sweep of holds comes every second; this long without it is no delay. */
const HELD_TOO_LONG = '5 minutes';

/** Checks I1–I3 in one snapshot and changes nothing. */
@Injectable()
export class VerifyService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
  ) {}

  async verify(watch: LedgerWatch = {}): Promise<Verification> {
    const found = new Findings();
    const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
    const counted = await inTransaction(
      this.dataSource,
      async (client) => {
        await client.query('SET LOCAL statement_timeout = 0');
        const levels = await this.compareLevels(client, found, watch);
        const reservations = await this.checkReservations(client, found);
        await this.checkShortfalls(client, found);
        return { ...levels, reservations };
      },
      begin,
    );
    const { count: violationCount, violations } = found;
    return { ok: violationCount === 0, ...counted, violationCount, violations };
  }

  /** I1: each level is the fold of its events, and each event follows from the one before. */
  private async compareLevels(
    client: PoolClient,
    found: Findings,
    watch: LedgerWatch,
  ): Promise<{ events: number; levels: number }> {
    const rows = await client.query<Level & { sku_id: number; location_id: number }>('SELECT * FROM levels');
    const live = new Map(rows.rows.map((row) => [levelKey(row.sku_id, row.location_id), row]));
    const levels = live.size;
    const { events } = await scanLedger(
      client,
      ({ skuId, locationId, level }) => {
        const key = levelKey(skuId, locationId);
        const row = live.get(key);
        live.delete(key);
        if (!row) found.add('I1', `${this.place(skuId, locationId)} has events but no level`);
        else if (!sameLevel(level, row)) {
          found.add(
            'I1',
            `${this.place(skuId, locationId)} is ${brief(row)}, its events make ${brief(level)}`,
          );
        }
      },
      ({ seq, skuId, locationId, expected, stored }) => {
        const place = this.place(skuId, locationId);
        found.add(
          'I1',
          `event ${seq} of ${place} stores ${brief(stored)}, the rules make ${brief(expected)}`,
        );
      },
      watch,
    );
    const nameless = await client.query(`
      SELECT sku_id, location_id FROM levels l
       WHERE NOT EXISTS (SELECT FROM skus WHERE id = l.sku_id) OR NOT EXISTS (SELECT FROM locations WHERE id = l.location_id)`);
    for (const { sku_id, location_id } of nameless.rows) {
      found.add(
        'I1',
        `the level of SKU id ${sku_id} at location id ${location_id} names one that does not exist`,
      );
    }
    for (const { sku_id, location_id } of live.values()) {
      found.add('I1', `${this.place(sku_id, location_id)} has a level but no events`);
    }
    return { events, levels };
  }

  /** I2: what reservations have open is exactly what levels hold reserved; terminal ones have nothing open. */
  private async checkReservations(client: PoolClient, found: Findings): Promise<number> {
    const unequal = await client.query(`
      SELECT coalesce(l.sku_id, o.sku_id) AS sku_id, coalesce(l.location_id, o.location_id) AS location_id,
             coalesce(l.reserved, 0) AS reserved, coalesce(o.open, 0) AS open
        FROM levels l
        FULL JOIN (SELECT sku_id, location_id, sum(reserved - fulfilled - released)::bigint AS open
                     FROM reservation_lines WHERE fulfilled + released < reserved GROUP BY 1, 2) o
          ON o.sku_id = l.sku_id AND o.location_id = l.location_id
       WHERE coalesce(l.reserved, 0) <> coalesce(o.open, 0)`);
    for (const row of unequal.rows) {
      const place = this.place(row.sku_id, row.location_id);
      found.add('I2', `${place} holds ${row.reserved} reserved, reservations have ${row.open} open`);
    }
    const dangling = await client.query(`
      SELECT r.id, r.state FROM reservations r
       WHERE state IN ('fulfilled', 'released', 'expired')
         AND EXISTS (SELECT FROM reservation_lines p WHERE p.reservation_id = r.id AND fulfilled + released < reserved)`);
    for (const { id, state } of dangling.rows)
      found.add('I2', `reservation ${id} is ${state} but has open units`);
    const orphans = await client.query(`
      SELECT DISTINCT reservation_id AS id FROM reservation_lines p
       WHERE NOT EXISTS (SELECT FROM reservations r WHERE r.id = p.reservation_id)`);
    for (const { id } of orphans.rows) found.add('I2', `lines of reservation ${id} have no reservation`);
    await this.checkDangling(client, found);
    const counted = await client.query<{ count: number }>('SELECT count(*) AS count FROM reservations');
    return counted.rows[0]!.count;
  }

  /** I2: reservations of what does not exist (a line that is short altogether is at no location), and holds that nobody gives back. */
  private async checkDangling(client: PoolClient, found: Findings): Promise<void> {
    const nameless = await client.query(`
      SELECT DISTINCT reservation_id AS id FROM reservation_lines p
       WHERE NOT EXISTS (SELECT FROM skus WHERE id = p.sku_id)
          OR p.reserved > 0 AND NOT EXISTS (SELECT FROM locations WHERE id = p.location_id)`);
    for (const { id } of nameless.rows)
      found.add('I2', `reservation ${id} holds units of a SKU or location that does not exist`);
    const overdue = await client.query(`
      SELECT id, expires_at FROM reservations
       WHERE state = 'held' AND expires_at < clock_timestamp() - interval '${HELD_TOO_LONG}'`);
    for (const { id, expires_at } of overdue.rows)
      found.add('I2', `hold ${id} ran out at ${(expires_at as Date).toISOString()} and is held still`);
  }

  /** I3: a level below zero has its open shortfall. */
  private async checkShortfalls(client: PoolClient, found: Findings): Promise<void> {
    const bare = await client.query(`
      SELECT l.sku_id, l.location_id, l.available FROM levels l
       WHERE l.available < 0 AND NOT EXISTS (
         SELECT FROM shortfalls s WHERE s.cause = 'count' AND s.state = 'open' AND s.sku_id = l.sku_id
            AND s.location_id = l.location_id AND s.quantity = -l.available)`);
    for (const row of bare.rows) {
      found.add(
        'I3',
        `${this.place(row.sku_id, row.location_id)} has ${row.available} available and no shortfall of that many`,
      );
    }
  }

  private place(skuId: number, locationId: number): string {
    return `${this.catalog.skuCode(skuId)} at ${this.catalog.locationCode(locationId)}`;
  }
}

class Findings {
  count = 0;
  readonly violations: Violation[] = [];

  add(invariant: Violation['invariant'], message: string): void {
    this.count++;
    if (this.violations.length < NAMED_VIOLATIONS) this.violations.push({ invariant, message });
  }
}

function brief(level: Level): string {
  const { available, reserved, quarantined, damaged, in_transit, on_order, version } = level;
  return `v${version} [${available} ${reserved} ${quarantined} ${damaged} ${in_transit} ${on_order}]`;
}
