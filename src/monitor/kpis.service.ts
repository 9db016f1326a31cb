import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { UnknownChannelError } from '../channels/channels.errors';
import { Config } from '../config/config';
import { KPI_NAMES, type KpiName } from '../config/kpi-names';
import { poolOf } from '../database/pool';
import { FACT_EVENTS } from './kpi-events';
import { type Fact, type FactName, FACTS } from './kpi-facts';
import {
  COARSE_SECONDS,
  countFact,
  type CountedSpan,
  FINE_SECONDS,
  type KeptRange,
  readKept,
  readKeptLevel,
  readLevel,
} from './kpi-reads';
import { ceilTo, floorTo } from './spans';
import { combined, emptyTally, type Tally } from './kpi-tally';
import {
  type Kpi,
  type KpiDefinition,
  type KpiHistory,
  type KpiReading,
  KPIS,
  type KpiWindow,
  WINDOWS,
} from './kpis';

/** Points of a history are so far apart. */
const HISTORY_STEPS: Record<KpiWindow, number> = { '1h': 300, '24h': 300, '7d': 3_600, '30d': 21_600 };

/** Up to when each fact is counted, and the moment that this was read. */
interface Counted {
  now: Date;
  until: Map<string, Date>;
}

/** A time to be told of: `from` a moment, up to another, in steps. */
interface Span {
  from: Date;
  until: Date;
  stepSeconds: number;
}

/**
 * Key figures, from the tables where it happened: what was counted of the past is kept, and only its edges are counted
 * anew. So a figure is of exactly the time that it says, up to the moment it is asked for.
 */
@Injectable()
export class KpisService {
  private readonly pool: Pool;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly config: Config,
  ) {
    this.pool = poolOf(dataSource);
  }

  /** All figures of the time up to now; of one channel, or of everything. Throws `UnknownChannelError`. */
  async current(window: KpiWindow, channel?: string): Promise<KpiReading> {
    this.assertKnown(channel);
    return (await this.readings(window, [channel]))[0]!;
  }

  /** As `current`, for several channels at the cost of one; undefined stands for all channels together. */
  async readings(window: KpiWindow, channels: readonly (string | undefined)[]): Promise<KpiReading[]> {
    const counted = await this.counted();
    const windowSeconds = WINDOWS[window];
    const from = new Date(counted.now.getTime() - windowSeconds * 1000);
    const span = { from, until: counted.now, stepSeconds: windowSeconds };
    const facts = new Map<FactName, CountedSpan[]>();
    for (const name of Object.keys(FACTS) as FactName[])
      facts.set(name, await this.spansOf(name, span, counted));
    return channels.map((channel) => ({
      at: counted.now,
      windowSeconds,
      items: KPI_NAMES.map((name) => kpiOf(name, facts.get(KPIS[name].fact)!, { from, channel })),
    }));
  }

  /** One figure over time, step by step. Throws `UnknownChannelError`. */
  async history(name: KpiName, window: KpiWindow, channel?: string): Promise<KpiHistory> {
    this.assertKnown(channel);
    const { fact, unit, value, ofChannel }: KpiDefinition = KPIS[name];
    const { combine, isLevel }: Fact = FACTS[fact];
    const stepSeconds = HISTORY_STEPS[window];
    const counted = await this.counted();
    const stepMs = stepSeconds * 1000;
    const first = floorTo(counted.now.getTime() - WINDOWS[window] * 1000, stepSeconds);
    const span = { from: new Date(first), until: counted.now, stepSeconds };
    const isTold = ofChannel || channel === undefined;
    const spans = !isTold
      ? []
      : isLevel
        ? await this.levelOver(fact, span, channel)
        : await this.spansOf(fact, span, counted);
    const steps = new Map<number, Tally[]>();
    for (const { bucket, tally, channel: of } of spans) {
      if (!isLevel && channel !== undefined && of !== channel) continue;
      const at = floorTo(bucket.getTime(), stepSeconds);
      steps.set(at, [...(steps.get(at) ?? []), tally]);
    }
    const points = Array.from({ length: Math.ceil((counted.now.getTime() - first) / stepMs) }, (_, index) => {
      const at = first + index * stepMs;
      const tallies = steps.get(at);
      const isUnknown = !isTold || (isLevel && tallies === undefined);
      return { at: new Date(at), value: isUnknown ? null : value(combined(tallies ?? [], combine)) };
    });
    return { name, unit, stepSeconds, points };
  }

  /** What a figure counts, of the time between the two; the newest, or the worst, `limit` of it. Throws `UnknownChannelError`. */
  async events(
    name: KpiName,
    { since, until, channel, limit }: { since: Date; until: Date; channel?: string; limit: number },
  ): Promise<object[]> {
    this.assertKnown(channel);
    const values = [since, until, channel ?? null, limit];
    return (await this.pool.query<object>(FACT_EVENTS[KPIS[name].fact], values)).rows;
  }

  private assertKnown(channel: string | undefined): void {
    if (channel !== undefined && !this.config.channels.some(({ name }) => name === channel))
      throw new UnknownChannelError(channel);
  }

  /** By channel; of a level, what there is now. */
  private async spansOf(name: FactName, span: Span, { now, until }: Counted): Promise<CountedSpan[]> {
    const { isKept, isLevel }: Fact = FACTS[name];
    const { from, stepSeconds } = span;
    if (isLevel) return levelSpans(await readLevel(this.pool, name), now);
    const counted = until.get(name);
    if (!isKept || counted === undefined) return countFact(this.pool, name, from, span.until, stepSeconds);
    const kept = keptRange(name, span, counted);
    if (kept.from >= kept.until) return countFact(this.pool, name, from, span.until, stepSeconds);
    return [
      ...(await countFact(this.pool, name, from, kept.from, stepSeconds)),
      ...(await readKept(this.pool, kept, stepSeconds)),
      ...(await countFact(this.pool, name, kept.until, span.until, stepSeconds)),
    ];
  }

  private levelOver(fact: FactName, span: Span, channel: string | undefined): Promise<CountedSpan[]> {
    return readKeptLevel(this.pool, keptRange(fact, span, span.until), span.stepSeconds, channel);
  }

  private async counted(): Promise<Counted> {
    const { rows } = await this.pool.query<{ now: Date; fact: string | null; until: Date | null }>(
      `SELECT n.now, p.fact, p.counted_until AS until FROM (SELECT clock_timestamp() AS now) n LEFT JOIN kpi_progress p ON true`,
    );
    const known = rows.flatMap(({ fact, until }): [string, Date][] => (fact && until ? [[fact, until]] : []));
    return { now: rows[0]!.now, until: new Map(known) };
  }
}

/** Long times are read by the hour, short ones by the fine spans, which are not kept for as long. */
function keptRange(fact: FactName, { from, until }: Span, counted: Date): KeptRange {
  const isLong = until.getTime() - from.getTime() > 2 * WINDOWS['24h'] * 1000;
  const first = ceilTo(from.getTime(), isLong ? COARSE_SECONDS : FINE_SECONDS);
  return {
    fact,
    from: new Date(first),
    until: counted,
    coarseUntil: new Date(isLong ? floorTo(counted.getTime(), COARSE_SECONDS) : first),
  };
}

function levelSpans(level: ReadonlyMap<string, number>, now: Date): CountedSpan[] {
  return [...level].map(([channel, numerator]) => {
    return { channel, bucket: now, tally: { ...emptyTally(), numerator, denominator: 1 } };
  });
}

/** Counts of several channels add up; of one channel the spans are combined as the fact is. */
function kpiOf(
  name: KpiName,
  spans: readonly CountedSpan[],
  { from, channel }: { from: Date; channel: string | undefined },
): Kpi {
  const { unit, aim, fact, ofChannel, value: valueOf }: KpiDefinition = KPIS[name];
  const { combine, isLevel }: Fact = FACTS[fact];
  const told = spans.filter((span) => channel === undefined || span.channel === channel);
  const isTold = ofChannel || channel === undefined;
  const tally = combined(
    told.map((span) => span.tally),
    isLevel ? 'sum' : combine,
  );
  const value = isTold ? valueOf(tally) : null;
  const met = aim === null || value === null ? null : value <= aim.max;
  return { name, value, unit, aim, met, events: isTold ? eventsOf(name, from, channel) : null };
}

function eventsOf(name: KpiName, from: Date, channel: string | undefined): string {
  const query = new URLSearchParams({ since: from.toISOString(), ...(channel !== undefined && { channel }) });
  return `/v1/kpis/${name}/events?${query.toString()}`;
}
