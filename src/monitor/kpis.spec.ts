import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/database';
import { CHANNELS, type History, naiveKpis, plant, randomHistory } from '../../test/support/kpi-history';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { SeededRandom } from '../replay/random';
import { COUNT_KPIS, KpiCountingWorker } from './kpi-counting.worker';
import { KPI_NAMES, type KpiName } from '../config/kpi-names';
import { type Kpi, type KpiWindow, WINDOWS } from './kpis';
import { KpisService } from './kpis.service';

const SEED = Number(process.env.KPI_SEED ?? Date.now() % 1_000_000);
const WINDOW_NAMES = Object.keys(WINDOWS) as KpiWindow[];
const LEVELS: readonly KpiName[] = ['stranded_reservations', 'push_queue_depth'];

/** Durations are told to within 2 %, and nothing shorter than 1 ms is told apart. */
function expectClose(told: number | null, naive: number | null, of: string): void {
  const isDuration = of.startsWith('sync_latency');
  const isClose =
    told === null || naive === null
      ? told === naive
      : Math.abs(told - naive) <= naive * (isDuration ? 0.02 : 1e-9) + (isDuration ? 0.001 : 0);
  if (!isClose) throw new Error(`${of} is told as ${told}, and is ${naive} (KPI_SEED=${SEED})`);
}

describe(`over a random history (KPI_SEED=${SEED})`, () => {
  const config = Object.assign(new Config(), { channels: CHANNELS.map((name) => ({ name })) });
  let database: TestDatabase;
  let dataSource: DataSource;
  let atFirst: Kpi[];
  let history: History;
  let random: SeededRandom;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.dataSource();
    atFirst = (await newHost().kpis.current('30d')).items;
    random = new SeededRandom(SEED);
    history = randomHistory(() => random.next(), new Date(), 250);
    await plant(dataSource, history);
  });

  afterAll(() => database.drop());

  /** A host, as far as it counts. */
  function newHost() {
    const kpis = new KpisService(dataSource, config);
    const jobs = new JobsService();
    new KpiCountingWorker(dataSource, jobs, kpis, config).onModuleInit();
    return { kpis, count: async () => expect((await jobs.run(COUNT_KPIS))?.error).toBeUndefined() };
  }

  async function expectNaive(): Promise<void> {
    const { kpis } = newHost();
    for (const window of WINDOW_NAMES)
      for (const channel of [undefined, ...CHANNELS]) {
        const { at, windowSeconds, items } = await kpis.current(window, channel);
        const naive = naiveKpis(history, new Date(at.getTime() - windowSeconds * 1000), at, channel);
        for (const { name, value } of items)
          if (!LEVELS.includes(name))
            expectClose(value, naive[name]!, `${name} of ${channel ?? 'all'} in ${window}`);
      }
  }

  async function expectNaiveOverTime(): Promise<void> {
    const { kpis } = newHost();
    for (const window of WINDOW_NAMES) {
      const channel = random.pick([undefined, 'a']);
      const naive = new Map<number, Record<string, number | null>>();
      for (const name of KPI_NAMES.filter((each) => !LEVELS.includes(each))) {
        const { points, stepSeconds } = await kpis.history(name, window, channel);
        expect(points.length).toBeGreaterThanOrEqual(WINDOWS[window] / stepSeconds);
        for (const { at, value } of points) {
          const until = new Date(at.getTime() + stepSeconds * 1000);
          if (!naive.has(at.getTime())) naive.set(at.getTime(), naiveKpis(history, at, until, channel));
          const of = `${name} of ${channel ?? 'all'} at ${at.toISOString()} in ${window}`;
          expectClose(value, naive.get(at.getTime())![name]!, of);
        }
      }
    }
  }

  test('of nothing, counts are 0, and nothing can be said of the rest', () => {
    expect(atFirst.map(({ name }) => name)).toEqual(KPI_NAMES);
    for (const { unit, value, aim, met } of atFirst) {
      expect(value).toBe(unit === 'count' ? 0 : null);
      expect(met).toBe(aim && value === 0 ? true : null);
    }
  });

  test('every figure of every time is what a naive count says, before anything is kept', expectNaive);

  test('it stays so once the past is kept, by two hosts at once and again', async () => {
    const [one, two] = [newHost(), newHost()];
    await Promise.all([one.count(), two.count()]);
    // As after a backup that was taken before: the same days are counted again.
    await dataSource.query(`UPDATE kpi_progress SET counted_until = counted_until - interval '3 days'`);
    await one.count();
    const [kept] = await dataSource.query(
      'SELECT count(*)::int AS spans, count(DISTINCT fact)::int AS facts FROM kpi_buckets',
    );
    expect(kept.spans).toBeGreaterThan(500);
    expect(kept.facts).toBe(7);
    await expectNaive();
  });

  test('it is kept, and not counted again', async () => {
    await dataSource.query(
      `DELETE FROM pushes WHERE coalesce(confirmed_at, answered_at) BETWEEN now() - interval '6 days' AND now() - interval '2 days'`,
    );
    await dataSource.query(
      `DELETE FROM channel_calls WHERE minute BETWEEN now() - interval '6 days' AND now() - interval '2 days'`,
    );
    await expectNaive();
  });

  test('the events behind a figure are those that it counts', async () => {
    const { kpis } = newHost();
    for (const channel of [undefined, ...CHANNELS]) {
      const { at: until, items } = await kpis.current('24h', channel);
      const since = new Date(until.getTime() - 86_400_000);
      const eventsOf = async (name: KpiName) => kpis.events(name, { since, until, channel, limit: 500 });
      const naive = naiveKpis(history, since, until, channel);
      for (const { name, unit, value } of items) {
        const events = await eventsOf(name);
        if (unit === 'count' && !LEVELS.includes(name)) expect([name, events.length]).toEqual([name, value]);
      }
      const slowest = (await eventsOf('sync_latency_p99_seconds')) as { seconds: number }[];
      expect(slowest.filter(({ seconds }) => seconds <= 90).length / slowest.length).toBeCloseTo(
        naive.sync_under_target_ratio!,
        9,
      );
      const conflicts = await eventsOf('reservation_conflict_rate');
      expect(conflicts).toHaveLength(naive.conflicts!);
    }
  });

  test('over time each step is what a naive count says of it', expectNaiveOverTime);
});
