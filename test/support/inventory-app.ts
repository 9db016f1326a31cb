import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { Config, LedgerConfig, LocationConfig } from '../../src/config/config';
import { ConfigModule } from '../../src/config/config.module';
import { DatabaseModule } from '../../src/database/database.module';
import { AvailabilityService } from '../../src/inventory/availability.service';
import { CatalogService } from '../../src/inventory/catalog.service';
import type { LedgerCommand, Outcome, ReservationView, ReserveLine } from '../../src/inventory/commands';
import { InventoryModule } from '../../src/inventory/inventory.module';
import { LedgerService, type Posted } from '../../src/inventory/ledger.service';
import { LocationEntity } from '../../src/inventory/location.entity';
import { RebuildService } from '../../src/inventory/rebuild.service';
import type { Refusal } from '../../src/inventory/refusal';
import { ReservationsService } from '../../src/inventory/reservations.service';
import { SkuEntity } from '../../src/inventory/sku.entity';
import { StockService } from '../../src/inventory/stock.service';
import { VerifyService } from '../../src/inventory/verify.service';
import type { BareCommand } from './memory-ledger';

/** In a new database `far` has the smallest id and the lowest priority, so that the two are not taken for each other. */
const LOCATIONS: readonly LocationConfig[] = [
  { code: 'far', name: 'Depot', priority: 3 },
  { code: 'front', name: 'Shop', priority: 1 },
  { code: 'back', name: 'Warehouse', priority: 2 },
];

/** One host as far as the inventory goes: the real services on a real database. */
export class InventoryApp {
  readonly ledger: LedgerService;
  readonly catalog: CatalogService;
  readonly reservations: ReservationsService;
  readonly stock: StockService;
  readonly availability: AvailabilityService;
  readonly verify: VerifyService;
  readonly rebuild: RebuildService;
  readonly dataSource: DataSource;

  private constructor(private readonly context: INestApplicationContext) {
    this.ledger = context.get(LedgerService);
    this.catalog = context.get(CatalogService);
    this.reservations = context.get(ReservationsService);
    this.stock = context.get(StockService);
    this.availability = context.get(AvailabilityService);
    this.verify = context.get(VerifyService);
    this.rebuild = context.get(RebuildService);
    this.dataSource = context.get(DataSource);
  }

  /** Started as `main.ts` starts a host, but without HTTP and silent. */
  static async start(url: string, ledger: Partial<LedgerConfig> = {}): Promise<InventoryApp> {
    const config: Config = Object.assign(new Config(), {
      locations: LOCATIONS,
      ledger: Object.assign(new LedgerConfig(), ledger),
    });
    const testing = await Test.createTestingModule({
      imports: [
        { ...ConfigModule.forRoot(config), global: true },
        {
          ...DatabaseModule.forRoot({
            url,
            dataDir: '',
            explicitDataDir: false,
            poolSize: 10,
            entities: [LocationEntity, SkuEntity],
          }),
          global: true,
        },
        InventoryModule,
      ],
    }).compile();
    testing.useLogger(false);
    return new InventoryApp(await testing.init());
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    await this.context.close();
  }

  /** Posts under a fresh key unless one is given. */
  post(command: BareCommand, key: string = randomUUID()): Promise<Posted> {
    return this.ledger.post({ ...command, key, actor: 'test' } as LedgerCommand);
  }

  /** A new SKU with units at `front`. */
  async newSku(quantityUnits = 0, locationId = this.front): Promise<number> {
    const [made] = await this.catalog.upsertSkus([{ sku: `sku-${randomUUID()}` }]);
    const skuId = made!.sku.id;
    if (quantityUnits > 0) await this.restock(skuId, quantityUnits, locationId);
    return skuId;
  }

  async restock(skuId: number, quantityUnits: number, locationId = this.front): Promise<void> {
    await this.post({ kind: 'move', type: 'RESTOCK', skuId, locationId, quantityUnits });
  }

  reserve(
    lines: ReserveLine[],
    more: { key?: string; ttlSeconds?: number; partial?: boolean; reference?: string } = {},
  ): Promise<Posted> {
    const { key = randomUUID(), partial = false, ...rest } = more;
    return this.reservations.create({ lines, partial, ...rest }, key, 'test');
  }

  get front(): number {
    return this.idOf('front');
  }

  get back(): number {
    return this.idOf('back');
  }

  get far(): number {
    return this.idOf('far');
  }

  private idOf(code: string): number {
    return this.catalog.allLocations().find((location) => location.code === code)!.id;
  }

  /** Rows of a statement, as plain objects. */
  async rows<Row = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.dataSource.query(sql, values);
  }

  async count(from: string, values: unknown[] = []): Promise<number> {
    const [row] = await this.rows<{ count: number }>(`SELECT count(*) AS count FROM ${from}`, values);
    return row!.count;
  }
}

/** The reservation a command was answered with; throws on any other answer. */
export function reservationIn({ outcome }: Posted): ReservationView {
  if (!('reservation' in outcome)) throw new Error(`not a reservation: ${JSON.stringify(outcome)}`);
  return outcome.reservation;
}

/** The refusal's code, or undefined where the command was done. */
export function refusalIn(outcome: Outcome): Refusal['code'] | undefined {
  return 'refused' in outcome ? outcome.refused.code : undefined;
}

/** Makes damage that no command can: runs SQL as a superuser with triggers off. */
export async function tamper(url: string, sql: string, values: unknown[] = []): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SET session_replication_role = replica');
    const { rowCount } = await client.query(sql, values);
    if (rowCount === 0) throw new Error(`no row was touched by ${sql}`);
  } finally {
    await client.end();
  }
}
