import { Pool } from 'pg';
import { median, round } from './measure';

const EVERY_MS = 10_000;
/** Caches fill and the compiler works at first; slopes are of what comes after this share of the samples. */
const WARM_UP = 1 / 3;

export interface Sample {
  /** Since the load began. */
  seconds: number;
  residentMegabytes: number;
  heapMegabytes: number;
  /** How long the host took to tell its metrics. */
  metricsMs: number;
  /** Webhooks taken and not yet worked on. */
  inbox: number;
  dirtyListings: number;
  /** How long the listing that waits longest has waited. */
  lagSeconds: number;
}

/** A kind of job, over all of its runs. */
export interface JobTime {
  job: string;
  runs: number;
  meanSeconds: number;
}

/** Least squares over the samples after the warm-up, and the middle of them. */
export interface Slope {
  median: number;
  perHour: number;
  /** By how much of its median it would have changed at that slope from the first of these samples to the last. */
  change: number;
}

/** Looks at a running host every ten seconds, through its metrics and its tables. */
export class HostWatch {
  readonly samples: Sample[] = [];
  private readonly database: Pool;
  private readonly started = performance.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly hostUrl: string,
    databaseUrl: string,
    private readonly onSample: (sample: Sample) => void,
  ) {
    this.database = new Pool({ connectionString: databaseUrl, max: 1 });
  }

  start(): void {
    this.timer = setInterval(() => {
      void this.look().catch((error: Error) => process.stderr.write(`no sample: ${error.message}\n`));
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.database.end();
  }

  slope(of: (sample: Sample) => number): Slope {
    const warm = this.samples.slice(Math.floor(this.samples.length * WARM_UP));
    const perSecond = leastSquares(warm.map((sample) => [sample.seconds, of(sample)]));
    const middle = median(warm.map(of));
    const seconds = (warm.at(-1)?.seconds ?? 0) - (warm[0]?.seconds ?? 0);
    return {
      median: round(middle),
      perHour: round(perSecond * 3600),
      change: round((perSecond * seconds) / middle),
    };
  }

  /** Until no webhook waits and no listing is dirty; answers how long that took. */
  async quiet(): Promise<number> {
    const started = performance.now();
    for (;;) {
      const { inbox, dirtyListings } = await this.waiting();
      if (inbox + dirtyListings === 0) return round((performance.now() - started) / 1000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Those that took longest in all, first: what grows with the tables shows here. */
  async jobs(most = 8): Promise<JobTime[]> {
    const metrics = await this.metrics();
    const read = (name: string) =>
      new Map(
        [
          ...metrics.matchAll(
            new RegExp(`^onhand_job_duration_seconds_${name}\\{job="([^"]+)"\\} (\\S+)$`, 'gm'),
          ),
        ].map(([, job, value]) => [job!, Number(value)]),
      );
    const [sums, counts] = [read('sum'), read('count')];
    return [...sums]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([job, seconds]) => ({
        job,
        runs: counts.get(job)!,
        meanSeconds: round(seconds / counts.get(job)!),
      }));
  }

  private async metrics(): Promise<string> {
    return (await fetch(`${this.hostUrl}/metrics`)).text();
  }

  private async look(): Promise<void> {
    const started = performance.now();
    const metrics = await this.metrics();
    const metricsMs = round(performance.now() - started);
    const megabytes = (name: string) =>
      round(Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]) / 1024 / 1024);
    const sample = {
      seconds: Math.round((performance.now() - this.started) / 1000),
      residentMegabytes: megabytes('process_resident_memory_bytes'),
      heapMegabytes: megabytes('nodejs_heap_size_used_bytes'),
      metricsMs,
      ...(await this.waiting()),
    };
    this.samples.push(sample);
    this.onSample(sample);
  }

  private async waiting(): Promise<Pick<Sample, 'inbox' | 'dirtyListings' | 'lagSeconds'>> {
    const { rows } = await this.database.query<{ inbox: string; dirty: string; lag: string }>(
      `SELECT (SELECT count(*) FROM inbox WHERE state = 'received') AS inbox, count(*) AS dirty,
              coalesce(extract(epoch FROM now() - min(since)), 0) AS lag
         FROM dirty_listings WHERE parked_at IS NULL`,
    );
    const { inbox, dirty, lag } = rows[0]!;
    return { inbox: Number(inbox), dirtyListings: Number(dirty), lagSeconds: round(Number(lag)) };
  }
}

/** The slope of the line through [x, y]. */
export function leastSquares(points: readonly (readonly [number, number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([px]) => px), mean(([, py]) => py)];
  const over = mean(([px, py]) => (px - x) * (py - y));
  const under = mean(([px]) => (px - x) ** 2);
  return under === 0 ? 0 : over / under;
}
