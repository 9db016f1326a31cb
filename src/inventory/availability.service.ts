import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { ListenerService } from '../database/listener.service';
import type { ChangedLevel } from './ledger-writer';
import { LedgerService } from './ledger.service';
import type { Level } from './level';

/**
 * Every level in memory, fed by the ledger: this host's commits at once, other hosts' by notification.
 * A level never goes back to an older version, so feeds may overlap and arrive out of order.
 */
@Injectable()
export class AvailabilityService implements OnApplicationBootstrap {
  private levels: LevelMap = new Map();
  /** What a reset has read so far; takes the place of `levels` once it is complete. */
  private fresh: LevelMap | undefined;
  private resetting: Promise<void> | undefined;
  private readonly listeners = new Set<(skuId: number) => void>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly ledger: LedgerService,
    private readonly listener: ListenerService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.ledger.onCommitted((changed) => changed.forEach((each) => this.apply(each)));
    await this.listener.listen('onhand_levels', {
      heard: (payload) => this.heard(payload),
      missed: () => this.reset(),
    });
    await this.load();
  }

  /** The SKU's levels by location id; empty when it has no events. */
  levelsOf(skuId: number): ReadonlyMap<number, Level> {
    return this.levels.get(skuId) ?? NO_LEVELS;
  }

  /** Calls back with each SKU that has another level, whichever host changed it. Returns what ends it. */
  onChanged(listener: (skuId: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Believes the table again, whatever was known: after a rebuild, a level may be right at a lower version.
   * Until all of it is read, the old levels are answered.
   */
  reset(): Promise<void> {
    this.resetting = this.readAnew();
    return this.resetting;
  }

  private async readAnew(): Promise<void> {
    const fresh: LevelMap = new Map();
    this.fresh = fresh;
    await this.load();
    // Another one began meanwhile (a rebuild is told of by notification too): it is that one that counts.
    if (this.fresh !== fresh) return this.resetting;
    this.levels = fresh;
    this.fresh = undefined;
  }

  private apply(changed: ChangedLevel): void {
    if (remember(this.levels, changed)) for (const listener of this.listeners) listener(changed.skuId);
    if (this.fresh) remember(this.fresh, changed);
  }

  private async heard(payload: string): Promise<void> {
    if (payload === REBUILT) return this.reset();
    const [sender, list = ''] = payload.split(':', 2);
    if (sender === this.ledger.sender || list === '') return;
    const pairs = list.split(',').map((pair) => pair.split('.').map(Number));
    if (list === '*') return this.load();
    return this.read(READ_SOME, [pairs.map((p) => p[0]), pairs.map((p) => p[1])]);
  }

  private async load(): Promise<void> {
    await this.read(`${READ_LEVELS} FROM levels l`, []);
  }

  private async read(text: string, values: unknown[]): Promise<void> {
    const rows: (Level & { sku_id: number; location_id: number })[] = await this.dataSource.query(
      text,
      values,
    );
    for (const { sku_id: skuId, location_id: locationId, ...level } of rows)
      this.apply({ skuId, locationId, level });
  }
}

/** The notification that all levels were made anew. */
export const REBUILT = 'rebuilt';

/** By SKU and location. */
type LevelMap = Map<number, Map<number, Level>>;

/** Whether it is news. */
function remember(levels: LevelMap, { skuId, locationId, level }: ChangedLevel): boolean {
  let byLocation = levels.get(skuId);
  if (!byLocation) levels.set(skuId, (byLocation = new Map()));
  const known = byLocation.get(locationId);
  if (known && known.version >= level.version) return false;
  byLocation.set(locationId, level);
  return true;
}

const NO_LEVELS: ReadonlyMap<number, Level> = new Map();

const READ_LEVELS = `
  SELECT l.sku_id, l.location_id, available, reserved, quarantined, damaged, in_transit, on_order, version`;

const READ_SOME = `${READ_LEVELS} FROM levels l
  JOIN unnest($1::int[], $2::int[]) AS c (sku, loc) ON l.sku_id = c.sku AND l.location_id = c.loc`;
