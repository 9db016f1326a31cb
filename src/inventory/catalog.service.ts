import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, In, MoreThan } from 'typeorm';
import { Config } from '../config/config';
import { ListenerService } from '../database/listener.service';
import { inTransaction } from '../database/pool';
import { UnknownLocationError, UnknownSkuError } from './inventory.errors';
import { LocationEntity } from './location.entity';
import { SkuEntity } from './sku.entity';

export interface SkuDraft {
  sku: string;
  name?: string;
  barcode?: string;
  unitOfMeasure?: string;
  tags?: string[];
}

export interface LocationDraft {
  code: string;
  name?: string;
  priority?: number;
}

const LOWEST_PRIORITY = Number.MAX_SAFE_INTEGER;

/**
 * SKUs and locations, and their codes in memory: commands name codes, the ledger stores ids. A code unknown
 * here may have been made by another host, so a miss asks the database once more.
 */
@Injectable()
export class CatalogService implements OnModuleInit, OnApplicationBootstrap {
  private readonly skuIds = new Map<string, number>();
  private readonly skuCodes = new Map<number, string>();
  private locations: LocationEntity[] = [];
  private readonly locationsById = new Map<number, LocationEntity>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listener: ListenerService,
    private readonly config: Config,
  ) {}

  /** Creates the configured locations that are not there yet, and fills the code maps. */
  async onModuleInit(): Promise<void> {
    await this.upsertLocations([...this.config.locations]);
    const skus = await this.dataSource.query('SELECT id, code FROM skus');
    for (const { id, code } of skus) this.remember(id, code);
  }

  async onApplicationBootstrap(): Promise<void> {
    const reload = () => void this.loadLocations();
    await this.listener.listen('onhand_locations', { heard: reload, missed: reload });
  }

  /** Inserts or updates by code; a field that is not given keeps its value. */
  async upsertSkus(drafts: readonly SkuDraft[]): Promise<{ sku: SkuEntity; created: boolean }[]> {
    const { rows, created } = await inTransaction(this.dataSource, async (client) => {
      const values = [JSON.stringify(drafts)];
      const inserted = await client.query<{ code: string }>(INSERT_SKUS, values);
      const updated = await client.query<SkuRow>(UPDATE_SKUS, values);
      return { rows: updated.rows, created: new Set(inserted.rows.map((row) => row.code)) };
    });
    for (const row of rows) this.remember(row.id, row.code);
    const byCode = new Map(rows.map((row) => [row.code, row]));
    return drafts.map((draft) => ({ sku: skuOf(byCode.get(draft.sku)!), created: created.has(draft.sku) }));
  }

  async skus(afterId: number, limit: number, codes?: string[]): Promise<SkuEntity[]> {
    return this.dataSource.getRepository(SkuEntity).find({
      where: { id: MoreThan(afterId), ...(codes && { code: In(codes) }) },
      order: { id: 'ASC' },
      take: limit,
    });
  }

  /** Which of the SKUs carry one of the tags. */
  async skusTagged(ids: readonly number[], tags: readonly string[]): Promise<Set<number>> {
    const rows: { id: number }[] = await this.dataSource.query(
      'SELECT id FROM skus WHERE id = ANY($1::int[]) AND tags && $2::text[]',
      [ids, tags],
    );
    return new Set(rows.map((row) => row.id));
  }

  async upsertLocations(drafts: readonly LocationDraft[]): Promise<LocationEntity[]> {
    for (const { code, name, priority } of drafts) {
      await this.dataSource.query(UPSERT_LOCATION, [code, name || null, priority ?? null]);
    }
    await this.loadLocations();
    await this.dataSource.query(`NOTIFY onhand_locations`);
    return drafts.map((draft) => this.locations.find((location) => location.code === draft.code)!);
  }

  allLocations(): readonly LocationEntity[] {
    return this.locations;
  }

  /** Where stock goes when nobody says where: the first location in priority order. */
  defaultLocationId(): number {
    return this.locations[0]!.id;
  }

  priorityOf(locationId: number): number {
    return this.locationsById.get(locationId)?.priority ?? LOWEST_PRIORITY;
  }

  locationCode(id: number): string {
    return this.locationsById.get(id)?.code ?? `#${id}`;
  }

  /** Throws `UnknownLocationError`. */
  async locationId(code: string, field: string): Promise<number> {
    const known = () => this.locations.find((location) => location.code === code)?.id;
    if (known() === undefined) await this.loadLocations();
    const id = known();
    if (id === undefined) throw new UnknownLocationError(code, field);
    return id;
  }

  skuCode(id: number): string {
    return this.skuCodes.get(id) ?? `#${id}`;
  }

  /** From memory alone: undefined may also mean that another host has just created it. */
  knownSkuId(code: string): number | undefined {
    return this.skuIds.get(code);
  }

  /** Throws `UnknownSkuError`. */
  async skuId(code: string, field: string): Promise<number> {
    const known = this.skuIds.get(code);
    if (known !== undefined) return known;
    await this.learn([code]);
    const id = this.skuIds.get(code);
    if (id === undefined) throw new UnknownSkuError(code, field);
    return id;
  }

  /** Reads codes or ids that another host made. */
  async learn(codes: readonly string[], ids: readonly number[] = []): Promise<void> {
    const rows: SkuRow[] = await this.dataSource.query(
      'SELECT id, code FROM skus WHERE code = ANY($1) OR id = ANY($2)',
      [codes, ids],
    );
    for (const { id, code } of rows) this.remember(id, code);
  }

  knowsSku(id: number): boolean {
    return this.skuCodes.has(id);
  }

  private remember(id: number, code: string): void {
    this.skuIds.set(code, id);
    this.skuCodes.set(id, code);
  }

  private async loadLocations(): Promise<void> {
    this.locations = await this.dataSource
      .getRepository(LocationEntity)
      .find({ order: { priority: 'ASC', id: 'ASC' } });
    this.locationsById.clear();
    for (const location of this.locations) this.locationsById.set(location.id, location);
  }
}

interface SkuRow {
  id: number;
  code: string;
  name: string | null;
  barcode: string | null;
  unit_of_measure: string;
  tags: string[];
  created_at: Date;
  updated_at: Date;
}

/** Two drafts of one code in one request are one SKU: the last one counts. In code order, against deadlocks. */
const DRAFTS = `
  SELECT DISTINCT ON (item->>'sku') item->>'sku' AS code, item->>'name' AS name, item->>'barcode' AS barcode,
         item->>'unitOfMeasure' AS unit_of_measure,
         CASE WHEN item ? 'tags' THEN ARRAY(SELECT jsonb_array_elements_text(item->'tags')) END AS tags
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS d (item, position)
   ORDER BY item->>'sku', position DESC`;

const INSERT_SKUS = `
  WITH d AS (${DRAFTS})
  INSERT INTO skus (code) SELECT code FROM d ORDER BY code ON CONFLICT (code) DO NOTHING RETURNING code`;

const UPDATE_SKUS = `
  WITH d AS (${DRAFTS})
  UPDATE skus s SET name = coalesce(d.name, s.name), barcode = coalesce(d.barcode, s.barcode),
         unit_of_measure = coalesce(d.unit_of_measure, s.unit_of_measure), tags = coalesce(d.tags, s.tags),
         updated_at = clock_timestamp()
    FROM d WHERE s.code = d.code
  RETURNING s.id, s.code, s.name, s.barcode, s.unit_of_measure, s.tags, s.created_at, s.updated_at`;

const UPSERT_LOCATION = `
  INSERT INTO locations (code, name, priority) VALUES ($1, coalesce($2, $1), coalesce($3, 100))
  ON CONFLICT (code) DO UPDATE SET name = coalesce($2, locations.name), priority = coalesce($3, locations.priority)`;

function skuOf(row: SkuRow): SkuEntity {
  const { unit_of_measure: unitOfMeasure, created_at: createdAt, updated_at: updatedAt, ...rest } = row;
  const { id, code, name, barcode, tags } = rest;
  return { id, code, name, barcode, unitOfMeasure, tags, createdAt, updatedAt };
}
