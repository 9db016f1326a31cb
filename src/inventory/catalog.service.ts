import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { ListenerService } from '../database/listener.service';
import { inTransaction } from '../database/pool';
import { SkuCodeTakenError, UnknownLocationError, UnknownSkuError } from './inventory.errors';
import { LocationEntity } from './location.entity';
import { createSkus, findSkus, renameSku, type ResolvedSku } from './sku-codes';
import { SkuEntity } from './sku.entity';

export interface SkuDraft {
  sku: string;
  name?: string;
  barcode?: string;
  unitOfMeasure?: string;
  tags?: string[];
  /** Units; null takes it away. */
  reorderPoint?: number | null;
}

export interface LocationDraft {
  code: string;
  name?: string;
  priority?: number;
}

/** Each part that is given must fit. */
export interface SkuFilter {
  codes?: readonly string[];
  /** Somewhere in the code, name or barcode, in any case. */
  text?: string;
  tag?: string;
  /** No more than so many available, over all locations. */
  atMostAvailable?: number;
}

const LOWEST_PRIORITY = Number.MAX_SAFE_INTEGER;

/**
 * SKUs and locations, and their codes in memory: commands name codes, the ledger stores ids. A code unknown
 * here may have been made by another host, so a miss asks the database once more. A code that a SKU had
 * before it was renamed means that SKU for ever.
 */
@Injectable()
export class CatalogService implements OnModuleInit, OnApplicationBootstrap {
  /** Codes in use and codes of the past. */
  private readonly skuIds = new Map<string, number>();
  private readonly skuCodes = new Map<number, string>();
  private locations: LocationEntity[] = [];
  private readonly locationsById = new Map<number, LocationEntity>();
  private hearing: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listener: ListenerService,
    private readonly config: Config,
  ) {}

  /** Creates the configured locations that are not there yet, and fills the code maps. */
  async onModuleInit(): Promise<void> {
    await this.upsertLocations([...this.config.locations]);
    const skus: CodeRow[] = await this.dataSource.query(
      `SELECT s.id, s.code, s.code AS current FROM skus s
        UNION ALL SELECT a.sku_id, a.code, s.code FROM sku_aliases a JOIN skus s ON s.id = a.sku_id`,
    );
    for (const row of skus) this.remember(row);
  }

  async onApplicationBootstrap(): Promise<void> {
    const reload = () => this.loadLocations();
    await this.listener.listen('onhand_locations', { heard: reload, missed: reload });
    await this.listener.listen('onhand_skus', {
      heard: (id) => this.hearRenamed('s.id = $1', [id]),
      missed: () => this.hearRenamed('EXISTS (SELECT FROM sku_aliases a WHERE a.sku_id = s.id)', []),
    });
  }

  /** Inserts or updates by code; a field that is not given keeps its value. */
  async upsertSkus(drafts: readonly SkuDraft[]): Promise<{ sku: SkuEntity; created: boolean }[]> {
    const { rows, created } = await inTransaction(this.dataSource, async (client) => {
      const codes = [...new Set(drafts.map((draft) => draft.sku))];
      const made = new Set(await createSkus(client, codes));
      const updated = await client.query<SkuRow & { asked: string }>(UPDATE_SKUS, [JSON.stringify(drafts)]);
      return { rows: updated.rows, created: made };
    });
    for (const { id, asked, code } of rows) this.remember({ id, code: asked, current: code });
    if (drafts.some(({ reorderPoint }) => reorderPoint !== undefined)) await this.tellReorderPoints();
    const byCode = new Map(rows.map((row) => [row.asked, row]));
    return drafts.map((draft) => ({ sku: skuOf(byCode.get(draft.sku)!), created: created.has(draft.sku) }));
  }

  /**
   * The SKUs that codes mean, with those made that no SKU has or had if `create` says so; all in the caller's
   * transaction. New ones are known here once they are learned.
   */
  async resolveSkus(
    client: PoolClient,
    codes: readonly string[],
    { create }: { create: boolean },
  ): Promise<{ skus: Map<string, ResolvedSku>; created: string[] }> {
    const created = create ? await createSkus(client, codes) : [];
    return { skus: await findSkus(client, codes), created };
  }

  /**
   * Gives a SKU another code. Its history stays, for the ledger knows it by id, and the old code goes on
   * meaning it. Throws `UnknownSkuError`, `SkuCodeTakenError`.
   */
  async rename(code: string, newCode: string): Promise<SkuEntity> {
    const skuId = await this.skuId(code, 'sku');
    const renamed = await inTransaction(this.dataSource, (client) => renameSku(client, skuId, newCode));
    if ('takenBy' in renamed) throw new SkuCodeTakenError(newCode, renamed.takenBy);
    this.applyRename(skuId, newCode);
    return this.dataSource.getRepository(SkuEntity).findOneByOrFail({ id: skuId });
  }

  /** Units; null takes it away. Throws `UnknownSkuError`. */
  async setReorderPoint(code: string, units: number | null): Promise<SkuEntity> {
    const id = await this.skuId(code, 'sku');
    const skus = this.dataSource.getRepository(SkuEntity);
    await skus.update({ id }, { reorderPoint: units, updatedAt: () => 'clock_timestamp()' });
    await this.tellReorderPoints();
    return skus.findOneByOrFail({ id });
  }

  /** Those that fit every part of the filter, in the order of their ids. */
  async skus(afterId: number, limit: number, filter: SkuFilter = {}): Promise<SkuEntity[]> {
    const { codes, text, tag, atMostAvailable } = filter;
    const rows: SkuRow[] = await this.dataSource.query(FIND_SKUS, [
      afterId,
      limit,
      codes ? await this.idsOf(codes) : null,
      text ? `%${text.replace(/[\\%_]/g, '\\$&')}%` : null,
      tag ?? null,
      atMostAvailable ?? null,
    ]);
    return rows.map(skuOf);
  }

  /** Every tag in use, with how many SKUs carry it. */
  async tags(): Promise<{ tag: string; skus: number }[]> {
    return this.dataSource.query(
      'SELECT tag, count(*) AS skus FROM skus, unnest(tags) AS tag GROUP BY tag ORDER BY tag',
    );
  }

  /** Which of the SKUs carry one of the tags. */
  async skusTagged(ids: readonly number[], tags: readonly string[]): Promise<Set<number>> {
    const rows: { id: number }[] = await this.dataSource.query(
      'SELECT id FROM skus WHERE id = ANY($1::int[]) AND tags && $2::text[]',
      [ids, tags],
    );
    return new Set(rows.map((row) => row.id));
  }

  /** The tags of the SKUs that have any. */
  async tagsOf(ids: readonly number[]): Promise<Map<number, string[]>> {
    const rows: { id: number; tags: string[] }[] = await this.dataSource.query(
      `SELECT id, tags FROM skus WHERE id = ANY($1::int[]) AND tags <> '{}'`,
      [ids],
    );
    return new Map(rows.map(({ id, tags }) => [id, tags]));
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

  /** Where a line takes its stock from by itself: never from what a channel holds. */
  servesOrders(locationId: number): boolean {
    return (this.locationsById.get(locationId)?.countedBy ?? null) === null;
  }

  /** Whether a place is our own, and not one whose stock a channel holds. */
  isOwn(code: string): boolean {
    return (this.locations.find((location) => location.code === code)?.countedBy ?? null) === null;
  }

  /**
   * Notes that this channel holds and counts what is there. Answers the location's id. Throws
   * `UnknownLocationError`.
   */
  async countedBy(code: string, channel: string): Promise<number> {
    const id = await this.locationId(code, 'locations');
    if (this.locationsById.get(id)?.countedBy === channel) return id;
    await this.dataSource.query('UPDATE locations SET counted_by = $2 WHERE id = $1', [id, channel]);
    await this.loadLocations();
    await this.dataSource.query(`NOTIFY onhand_locations`);
    return id;
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
    const rows: CodeRow[] = await this.dataSource.query(
      `SELECT id, code, code AS current FROM skus WHERE code = ANY($1) OR id = ANY($2)
        UNION ALL
       SELECT a.sku_id, a.code, s.code FROM sku_aliases a JOIN skus s ON s.id = a.sku_id WHERE a.code = ANY($1)`,
      [codes, ids],
    );
    for (const row of rows) this.remember(row);
  }

  knowsSku(id: number): boolean {
    return this.skuCodes.has(id);
  }

  /** Whoever looks at reorder points reads them again. */
  private async tellReorderPoints(): Promise<void> {
    await this.dataSource.query(`NOTIFY onhand_reorder_points`);
  }

  private async idsOf(codes: readonly string[]): Promise<number[]> {
    const unknown = codes.filter((code) => !this.skuIds.has(code));
    if (unknown.length > 0) await this.learn(unknown);
    return codes.flatMap((code) => this.skuIds.get(code) ?? []);
  }

  /**
   * What a SKU is called is changed by `applyRename` alone: a row may have been read before a rename that
   * has been heard of since.
   */
  private remember({ id, code, current }: CodeRow): void {
    this.skuIds.set(code, id);
    if (!this.skuCodes.has(id)) this.skuCodes.set(id, current);
    this.skuIds.set(current, id);
  }

  private applyRename(id: number, code: string): void {
    this.skuIds.set(code, id);
    this.skuCodes.set(id, code);
  }

  /** One after the other, so that of two renames the later one stays. */
  private hearRenamed(which: string, values: unknown[]): Promise<void> {
    const heard = this.hearing.then(async () => {
      const rows: { id: number; code: string }[] = await this.dataSource.query(
        `SELECT s.id, s.code FROM skus s WHERE ${which}`,
        values,
      );
      for (const { id, code } of rows) this.applyRename(id, code);
    });
    this.hearing = heard.catch(() => undefined);
    return heard;
  }

  private async loadLocations(): Promise<void> {
    this.locations = await this.dataSource
      .getRepository(LocationEntity)
      .find({ order: { priority: 'ASC', id: 'ASC' } });
    this.locationsById.clear();
    for (const location of this.locations) this.locationsById.set(location.id, location);
  }
}

/** A code of a SKU, and the one it has now. */
interface CodeRow {
  id: number;
  code: string;
  current: string;
}

interface SkuRow {
  id: number;
  code: string;
  name: string | null;
  barcode: string | null;
  unit_of_measure: string;
  tags: string[];
  reorder_point: number | null;
  created_at: Date;
  updated_at: Date;
}

/** In id order, so that a page is read as far as it goes and no further. */
const FIND_SKUS = `
  SELECT id, code, name, barcode, unit_of_measure, tags, reorder_point, created_at, updated_at FROM skus s
   WHERE id > $1 AND ($3::int[] IS NULL OR id = ANY($3))
     AND ($4::text IS NULL OR code ILIKE $4 OR name ILIKE $4 OR barcode ILIKE $4)
     AND ($5::text IS NULL OR $5 = ANY(tags))
     AND ($6::bigint IS NULL
          OR (SELECT coalesce(sum(available), 0) FROM levels l WHERE l.sku_id = s.id) <= $6)
   ORDER BY id LIMIT $2`;

/**
 * Two drafts of one SKU in one request, by whichever of its codes, are one: the last one counts. In the order
 * of the SKUs, against deadlocks.
 */
const UPDATE_SKUS = `
  WITH asked AS (
    SELECT item->>'sku' AS asked, item, position, coalesce(s.id, a.sku_id) AS id
      FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS d (item, position)
      LEFT JOIN skus s ON s.code = item->>'sku' LEFT JOIN sku_aliases a ON a.code = item->>'sku'
  ), d AS (
    SELECT DISTINCT ON (id) id, item->>'name' AS name, item->>'barcode' AS barcode,
           item->>'unitOfMeasure' AS unit_of_measure,
           CASE WHEN item ? 'tags' THEN ARRAY(SELECT jsonb_array_elements_text(item->'tags')) END AS tags,
           item ? 'reorderPoint' AS reorders, (item->>'reorderPoint')::bigint AS reorder_point
      FROM asked ORDER BY id, position DESC
  ), updated AS (
    UPDATE skus s SET name = coalesce(d.name, s.name), barcode = coalesce(d.barcode, s.barcode),
           unit_of_measure = coalesce(d.unit_of_measure, s.unit_of_measure), tags = coalesce(d.tags, s.tags),
           reorder_point = CASE WHEN d.reorders THEN d.reorder_point ELSE s.reorder_point END, updated_at = clock_timestamp()
      FROM d WHERE s.id = d.id
    RETURNING s.id, s.code, s.name, s.barcode, s.unit_of_measure, s.tags, s.reorder_point, s.created_at, s.updated_at
  )
  SELECT DISTINCT ON (asked.asked) asked.asked, updated.* FROM asked JOIN updated ON updated.id = asked.id`;

const UPSERT_LOCATION = `
  INSERT INTO locations (code, name, priority) VALUES ($1, coalesce($2, $1), coalesce($3, 100))
  ON CONFLICT (code) DO UPDATE SET name = coalesce($2, locations.name), priority = coalesce($3, locations.priority)`;

function skuOf(row: SkuRow): SkuEntity {
  const { unit_of_measure: unitOfMeasure, reorder_point: reorderPoint, ...others } = row;
  const { created_at: createdAt, updated_at: updatedAt, id, code, name, barcode, tags } = others;
  return { id, code, name, barcode, unitOfMeasure, tags, reorderPoint, createdAt, updatedAt };
}
