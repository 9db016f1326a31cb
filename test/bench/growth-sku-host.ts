import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { inOneGo, pipelinedPool } from '../../src/database/pool';
import { StockController } from '../../src/inventory/stock.controller';
import { AvailabilityController } from '../../src/push/availability.controller';
import { claimListings, releaseListings } from '../../src/push/push-claims';
import type { Rounds } from './growth-curve';
import { benchReservations } from './ledger-bench';
import { measure } from './measure';

export const CHANNEL = 'north';
export const PAGE = 100;
/** As many as one question may name. */
export const ASKED = 200;
export const BATCH = 100;

interface SkuHostParts {
  app: INestApplicationContext;
  /** Without the host's time-outs, for what prepares a round. */
  database: Pool;
  skus: number;
  durationMs: number;
  rounds: Rounds;
}

/** A host with so many SKUs, and what is asked of it: SKU number n has the id n. */
export class SkuHost {
  private readonly dataSource: DataSource;

  constructor(private readonly parts: SkuHostParts) {
    this.dataSource = parts.app.get(DataSource);
  }

  /** Each one marks its listing dirty; none is at first. */
  async reservations(): Promise<void> {
    const { app, database, durationMs, rounds } = this.parts;
    await database.query('TRUNCATE dirty_listings');
    const { ours, floor } = await benchReservations(app, () => this.anySku(), durationMs);
    rounds.add('skus-reservations', ours.perSecond, floor.perSecond);
    rounds.add('skus-reservations-p99', ours.p99Ms, floor.p99Ms);
  }

  async reads(): Promise<void> {
    const availability = this.parts.app.get(AvailabilityController);
    const stock = this.parts.app.get(StockController);
    const anySkus = () => Array.from({ length: ASKED }, () => this.anySku());
    await this.compare(
      'skus-availability',
      async () => availability.find({ sku: anySkus().map(codeOf).join(',') }),
      () => this.dataSource.query(LEVELS, [anySkus()]),
    );
    await this.compare(
      'skus-stock-page',
      () => stock.list({ limit: PAGE, cursor: Buffer.from(String(this.anyPage())).toString('base64url') }),
      () => this.dataSource.query(STOCK_PAGE, [this.anyPage(), PAGE]),
    );
  }

  /** With every listing dirty, as when a channel goes live or was away for long. */
  async claims(rounds: number): Promise<void> {
    const { database } = this.parts;
    await database.query(MAKE_DIRTY, [CHANNEL]);
    await database.query(FLOOR_LIST);
    await database.query('VACUUM ANALYZE dirty_listings, floor_list');
    const pool = pipelinedPool(this.dataSource, 1);
    try {
      for (let each = 0; each < rounds; each++)
        await this.compare(
          'skus-claim',
          () => claimAndRelease(pool),
          () => takeAndGiveBack(pool),
        );
    } finally {
      await pool.end();
    }
  }

  /** One at a time: how long one takes on average. */
  private async compare(
    name: string,
    ours: () => Promise<unknown>,
    floor: () => Promise<unknown>,
  ): Promise<void> {
    const { durationMs, rounds } = this.parts;
    const options = { inFlight: 1, durationMs: durationMs / 2, warmUpMs: durationMs / 5 };
    const mean = async (work: () => Promise<unknown>) => 1000 / (await measure(work, options)).perSecond;
    rounds.add(name, await mean(ours), await mean(floor));
  }

  private anySku(): number {
    return 1 + Math.floor(Math.random() * this.parts.skus);
  }

  /** What a page starts after. */
  private anyPage(): number {
    return Math.floor(Math.random() * (this.parts.skus - PAGE));
  }
}

export function codeOf(sku: number | ''): string {
  return `GROWTH-${sku}`;
}

async function claimAndRelease(pool: Pool): Promise<void> {
  const lease = randomUUID();
  const claim = { channel: CHANNEL, lease, limit: BATCH, leaseSeconds: 60, follows: false };
  const claimed = await claimListings(pool, claim);
  if (claimed.length < BATCH) throw new Error(`only ${claimed.length} listings were there to be claimed`);
  const ids = claimed.map(({ listingId }) => listingId);
  await releaseListings(pool, lease, ids);
}

async function takeAndGiveBack(pool: Pool): Promise<void> {
  const [, taken] = await inOneGo(pool, [
    { text: 'SET LOCAL synchronous_commit = off' },
    { name: 'floor-take', text: TAKE, values: [BATCH] },
  ]);
  const ids = (taken!.rows as { listing_id: number }[]).map((row) => row.listing_id);
  if (ids.length < BATCH) throw new Error('the floor has nothing left to take');
  await pool.query({ name: 'floor-give-back', text: GIVE_BACK, values: [ids] });
}

const LEVELS = 'SELECT sku_id, location_id, available FROM levels WHERE sku_id = ANY($1::int[])';

/** The page first: joined as a whole, a plan may read every level. */
const STOCK_PAGE = `
  SELECT s.id, s.code, l.available, l.reserved
    FROM (SELECT id, code FROM skus WHERE id > $1 ORDER BY id LIMIT $2) s LEFT JOIN levels l ON l.sku_id = s.id ORDER BY s.id`;

const MAKE_DIRTY = `
  INSERT INTO dirty_listings (listing_id, channel) SELECT id, channel FROM listings WHERE channel = $1 ORDER BY id
  ON CONFLICT (listing_id) DO NOTHING`;

/** The least that a list of what is to be pushed can be. */
const FLOOR_LIST = `
  DROP TABLE IF EXISTS floor_list;
  CREATE TABLE floor_list (listing_id integer PRIMARY KEY, since timestamptz NOT NULL, taken boolean NOT NULL DEFAULT false) WITH (fillfactor = 50);
  INSERT INTO floor_list SELECT listing_id, since FROM dirty_listings;
  CREATE INDEX floor_list_since ON floor_list (since)`;

const TAKE = `
  WITH due AS (SELECT listing_id FROM floor_list WHERE NOT taken ORDER BY since LIMIT $1 FOR UPDATE SKIP LOCKED)
  UPDATE floor_list f SET taken = true FROM due WHERE f.listing_id = due.listing_id RETURNING f.listing_id`;

const GIVE_BACK = 'UPDATE floor_list SET taken = false WHERE listing_id = ANY($1::int[])';
