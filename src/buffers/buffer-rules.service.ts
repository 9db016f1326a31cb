import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { BufferPolicy } from '../config/buffer-policy';
import { Config } from '../config/config';
import { ListenerService } from '../database/listener.service';
import { poolOf } from '../database/pool';
import { isoTime } from '../database/sql-time';
import { CatalogService } from '../inventory/catalog.service';
import type { Hold } from './apply-buffers';
import { BufferRules } from './buffer-rules';
import { ALL_SKUS, needsAmong, type NeedsOf, readNeeds, RULES, SQL_CHANNEL } from './buffer-rows';
import { type ChannelSignals, NO_SIGNALS } from './needs';
import { NeedsCache } from './needs-cache';

export interface PlacedHold extends Hold {
  skuId: number;
  locationId: number | null;
  channel: string | null;
}

const NOTHING: NeedsOf = () => undefined;

/**
 * Policies, holds and what is measured of channels, in memory on every host, with PostgreSQL as the truth. Whoever
 * changes them calls `changed`.
 */
@Injectable()
export class BufferRulesService implements OnApplicationBootstrap {
  private current: BufferRules;
  private signals = new Map<string, ChannelSignals>();
  private holds = new Map<number, PlacedHold[]>();
  /** SKUs whose tags changed since somebody last asked. */
  private retagged = new Set<number>();
  private isLoaded = false;
  private readonly remembered = new NeedsCache();
  private remembers = false;
  private reading: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly catalog: CatalogService,
    private readonly listener: ListenerService,
    private readonly config: Config,
  ) {
    this.current = this.rulesOf([], new Map());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.listener.listen(SQL_CHANNEL, {
      heard: (payload) => this.follow(payload),
      missed: () => Promise.all([RULES, ALL_SKUS].map((payload) => this.follow(payload))),
    });
    await this.reload();
  }

  get rules(): BufferRules {
    return this.current;
  }

  get channels(): readonly { name: string }[] {
    return this.config.channels;
  }

  skuIdOf(code: string): number | undefined {
    return this.catalog.knownSkuId(code);
  }

  signalsOf(channel: string): ChannelSignals {
    return this.signals.get(channel) ?? NO_SIGNALS;
  }

  /** Those in force at the moment. */
  holdsOf(skuId: number, nowMs: number): PlacedHold[] {
    const held = this.holds.get(skuId) ?? [];
    return held.filter(({ until }) => until === null || Date.parse(until) > nowMs);
  }

  /** The first moment after this one at which a hold ends by itself. */
  holdEndAfter(nowMs: number): number | undefined {
    const ends = [...this.holds.values()]
      .flat()
      .flatMap(({ until }) => (until === null ? [] : Date.parse(until)));
    const coming = ends.filter((end) => end > nowMs);
    return coming.length > 0 ? Math.min(...coming) : undefined;
  }

  /** What sales ask for, from the database at this moment; nothing is read where no policy looks at sales. */
  async needsOf(skuIds: readonly number[]): Promise<NeedsOf> {
    if (!this.current.isMoving) return NOTHING;
    return needsAmong(await readNeeds(poolOf(this.dataSource), skuIds));
  }

  /** The same from memory, without reasons and a moment later, for questions that come in thousands. */
  get rememberedNeeds(): NeedsOf {
    return this.remembered.needsOf;
  }

  /** SKUs that a policy for a tag concerns now or no longer, since this was last asked. */
  takeRetagged(): number[] {
    const taken = [...this.retagged];
    this.retagged = new Set();
    return taken;
  }

  /** One after the other, so that what is read last stays. */
  reload(): Promise<void> {
    return this.inTurn(() => this.read());
  }

  /** Takes effect here before it resolves, and on the other hosts soon. */
  async changed(): Promise<void> {
    await this.reload();
    await this.dataSource.query(`SELECT pg_notify('${SQL_CHANNEL}', '${RULES}')`);
  }

  /** Of the SKUs that carry any of these, which of them. */
  async readTags(named: readonly string[]): Promise<Map<number, string[]>> {
    const rows: { id: number; tags: string[] }[] = await this.dataSource.query(
      'SELECT id, ARRAY(SELECT unnest(tags) INTERSECT SELECT unnest($1::text[]) ORDER BY 1) AS tags FROM skus WHERE tags && $1::text[]',
      [named],
    );
    return new Map(rows.map(({ id, tags }) => [id, tags]));
  }

  private async follow(payload: string): Promise<void> {
    const pool = poolOf(this.dataSource);
    await (payload === RULES
      ? this.reload()
      : this.inTurn(async () => {
          if (!this.current.isMoving) return this.remembered.clear();
          if (payload === ALL_SKUS) return this.remembered.load(pool);
          return this.remembered.refresh(pool, payload.split(',').map(Number));
        }));
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const reading = this.reading.catch(() => undefined).then(work);
    this.reading = reading;
    return reading;
  }

  private async read(): Promise<void> {
    const pool = poolOf(this.dataSource);
    const [made, signals, holds] = await Promise.all([
      pool.query<{ definition: BufferPolicy }>('SELECT definition FROM buffer_policies ORDER BY name'),
      pool.query<ChannelSignals & { channel: string }>(READ_SIGNALS),
      pool.query<PlacedHold>(READ_HOLDS),
    ]);
    const policies = made.rows.map(({ definition }) => definition);
    await this.learnSkus(policies);
    const named = this.rulesOf(policies, new Map()).tags;
    const read = this.rulesOf(policies, named.length > 0 ? await this.readTags(named) : new Map());
    // What a host finds when it starts is no change.
    if (this.isLoaded) for (const skuId of read.retagged(this.current)) this.retagged.add(skuId);
    this.isLoaded = true;
    this.current = read;
    if (read.isMoving && !this.remembers) await this.remembered.load(pool);
    if (!read.isMoving) this.remembered.clear();
    this.remembers = read.isMoving;
    this.signals = new Map(signals.rows.map(({ channel, ...each }) => [channel, each]));
    this.holds = new Map();
    for (const hold of holds.rows) this.holds.set(hold.skuId, [...(this.holds.get(hold.skuId) ?? []), hold]);
  }

  private rulesOf(made: readonly BufferPolicy[], tags: ReadonlyMap<number, readonly string[]>): BufferRules {
    const { buffers: host, channels } = this.config;
    return new BufferRules({ host, channels, made, tags, skuIdOf: (code) => this.catalog.knownSkuId(code) });
  }

  private async learnSkus(made: readonly BufferPolicy[]): Promise<void> {
    const codes = [...this.config.buffers.policies, ...made].flatMap(({ sku }) => sku ?? []);
    const unknown = codes.filter((code) => this.catalog.knownSkuId(code) === undefined);
    if (unknown.length > 0) await this.catalog.learn(unknown);
  }
}

const READ_SIGNALS = `
  SELECT channel, sync_p99_ms AS "syncP99Ms", cancel_percent AS "cancelPercent", confirmation_ms AS "confirmationMs"
    FROM channel_signals`;

const READ_HOLDS = `
  SELECT id, sku_id AS "skuId", location_id AS "locationId", channel, units, percent, reason, placed_by AS "placedBy",
         ${isoTime('until')} AS until
    FROM buffer_holds WHERE ended_at IS NULL AND (until IS NULL OR until > clock_timestamp()) ORDER BY id`;
