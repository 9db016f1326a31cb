import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { inTransaction } from '../database/pool';
import { AvailabilityService, REBUILT } from './availability.service';
import { type FoldedLevel, scanLedger } from './ledger-scan';
import { COUNTED_STATES } from './level';
import { numberArray } from './sql-array';

const PAGE_LEVELS = 5_000;

/** Makes the levels anew from the ledger alone. */
@Injectable()
export class RebuildService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly availability: AvailabilityService,
  ) {}

  /**
   * Empties `levels` and fills it with the fold of the ledger, in one transaction. Writers wait meanwhile,
   * readers see the old rows until it commits. Returns what was folded.
   */
  async rebuild(): Promise<{ events: number; levels: number }> {
    const result = await inTransaction(this.dataSource, async (client) => {
      await client.query('SET LOCAL statement_timeout = 0');
      await client.query('LOCK TABLE levels IN EXCLUSIVE MODE');
      await client.query('DELETE FROM levels');
      let levels = 0;
      const page: FoldedLevel[] = [];
      const { events } = await scanLedger(client, async (level) => {
        levels++;
        page.push(level);
        if (page.length === PAGE_LEVELS) await insertLevels(client, page.splice(0));
      });
      await insertLevels(client, page);
      await client.query(`NOTIFY onhand_levels, '${REBUILT}'`);
      return { events, levels };
    });
    await this.availability.reset();
    return result;
  }
}

async function insertLevels(client: PoolClient, page: readonly FoldedLevel[]): Promise<void> {
  await client.query(
    `INSERT INTO levels (sku_id, location_id, available, reserved, quarantined, damaged, in_transit, on_order, version, updated_at)
     SELECT l.*, (SELECT recorded_at FROM ledger e WHERE (e.sku_id, e.location_id, e.version) = (l.sku, l.loc, l.version))
       FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
         AS l (sku, loc, av, re, qu, da, tr, oo, version)`,
    [
      numberArray(page.map((each) => each.skuId)),
      numberArray(page.map((each) => each.locationId)),
      ...COUNTED_STATES.map((state) => numberArray(page.map((each) => each.level[state]))),
      numberArray(page.map((each) => each.level.version)),
    ],
  );
}
