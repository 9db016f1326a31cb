import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { KPI_NAMES } from '../config/kpi-names';
import { inTransaction, poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import { countOn, forgetOldSpans, sampleLevel } from './kpi-counting';
import { type Fact, type FactName, FACTS } from './kpi-facts';
import { KPIS, type KpiWindow } from './kpis';
import { KpisService } from './kpis.service';

export const COUNT_KPIS = 'count-kpis';
const COUNT_EVERY_SECONDS = 60;

/** Of these times the figures are there for scrapes; whoever scrapes keeps them for longer. */
export const SCRAPED_WINDOWS: readonly KpiWindow[] = ['1h', '24h'];

/** Keeps what was counted of the past, samples what nobody can count afterwards, and has the figures ready for scrapes. */
@Injectable()
export class KpiCountingWorker implements OnModuleInit {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobsService,
    private readonly kpis: KpisService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(COUNT_KPIS, () => this.count());
    this.jobs.every(COUNT_EVERY_SECONDS, COUNT_KPIS);
  }

  private async count(): Promise<void> {
    const channels = this.config.channels.map(({ name }) => name);
    const facts = Object.entries(FACTS) as [FactName, Fact][];
    const kept = facts.filter(([, { isKept }]) => isKept);
    await inTransaction(this.dataSource, async (client) => {
      for (const [name, { isLevel }] of kept) if (isLevel) await sampleLevel(client, name, ['', ...channels]);
    });
    // The newest first matter to whoever looks; a past of months is counted behind them, a day at a time.
    await this.store(channels);
    for (const [name, { isLevel }] of kept) {
      const more = () => inTransaction(this.dataSource, (client) => countOn(client, name));
      while (!isLevel && (await more()));
    }
    await forgetOldSpans(poolOf(this.dataSource));
  }

  private async store(channels: readonly string[]): Promise<void> {
    for (const window of SCRAPED_WINDOWS) {
      const readings = await this.kpis.readings(window, [undefined, ...channels]);
      const rows = readings.flatMap(({ items }, index) =>
        items
          .filter(({ name }) => index === 0 || KPIS[name].ofChannel)
          .map(({ name, value }) => ({ name, value, channel: index === 0 ? '' : channels[index - 1]! })),
      );
      await poolOf(this.dataSource).query(STORE, [
        window,
        readings[0]!.at,
        rows.map(({ name }) => name),
        rows.map(({ channel }) => channel),
        rows.map(({ value }) => value),
      ]);
    }
    await poolOf(this.dataSource).query(FORGET, [KPI_NAMES, SCRAPED_WINDOWS, ['', ...channels]]);
  }
}

/** Of two hosts that are at it, what was read later stays. */
const STORE = `
  INSERT INTO kpi_values AS k (name, window_name, channel, value, computed_at)
  SELECT name, $1, channel, value, $2 FROM unnest($3::text[], $4::text[], $5::float8[]) AS v (name, channel, value)
  ON CONFLICT (name, window_name, channel) DO UPDATE SET value = excluded.value, computed_at = excluded.computed_at
  WHERE k.computed_at < excluded.computed_at`;

/** Channels that are in no host's file any more. */
const FORGET = `
  DELETE FROM kpi_values WHERE computed_at < clock_timestamp() - interval '15 minutes'
     AND NOT (name = ANY($1::text[]) AND window_name = ANY($2::text[]) AND channel = ANY($3::text[]))`;
