import type { Answers, LoadReport } from './soak-load';
import type { JobTime, Sample, Slope } from './soak-watch';

export interface SoakReport {
  machine: { cpus: number; model: string | undefined; node: string };
  asked: { minutes: number; perSecond: number; channels: number; skus: number };
  webhooks: LoadReport;
  /** From a webhook's sending until all other shops show the sale, seen from outside. */
  sync: Answers & { lost: number };
  /** From the last answer until nothing waited any more. */
  quietAfterSeconds: number;
  residentMegabytes: Slope;
  heapMegabytes: Slope;
  lagSeconds: Slope;
  mostDirtyListings: number;
  mostInInbox: number;
  /** Listings of each channel that do not show what the ledger says, at rest. */
  differing: Record<string, number>;
  verified: boolean;
  metricsMs: Slope;
  jobs: JobTime[];
  samples: Sample[];
}

/** Memory is flat where it would not have grown by more than this share of its median. */
const FLAT = 0.1;

/** What was promised and not kept, each in a sentence. */
export function unmet(report: SoakReport): string[] {
  const { webhooks, sync, residentMegabytes, heapMegabytes, differing, asked } = report;
  const broken: [boolean, string][] = [
    [webhooks.failed > 0, `${webhooks.failed} webhooks were not answered 2xx`],
    [webhooks.p99Ms >= 500, `the p99 of webhook answers is ${webhooks.p99Ms} ms; 500 ms are allowed`],
    [webhooks.maxMs > 5_000, `a webhook was answered after ${webhooks.maxMs} ms; 5 s are allowed`],
    [webhooks.perSecond < 0.99 * asked.perSecond, `only ${webhooks.perSecond} webhooks a second were sent`],
    [sync.lost > 0, `${sync.lost} sales were not shown everywhere within 120 s`],
    [sync.p99Ms >= 90_000, `the P99 of sync is ${sync.p99Ms} ms; 90 s are allowed`],
    [residentMegabytes.change > FLAT, `resident memory grew by ${percent(residentMegabytes.change)}`],
    [heapMegabytes.change > FLAT, `the heap grew by ${percent(heapMegabytes.change)}`],
    ...Object.entries(differing).map(([name, count]): [boolean, string] => [
      count > 0,
      `${count} listings of ${name} do not show what the ledger says`,
    ]),
    [!report.verified, 'the ledger is not sound'],
  ];
  return broken.filter(([isBroken]) => isBroken).map(([, sentence]) => sentence);
}

export function soakText(report: SoakReport): string {
  const { asked, webhooks, sync, residentMegabytes: resident, heapMegabytes: heap, lagSeconds } = report;
  const broken = unmet(report);
  const slope = ({ median, perHour, change }: Slope) =>
    `median ${median} MB, ${perHour} MB an hour, ${percent(change)} over the samples`;
  return [
    `${asked.minutes} minutes, ${asked.channels} channels of ${asked.skus} SKUs`,
    `webhooks   ${webhooks.sent} (${webhooks.perSecond}/s), ${webhooks.duplicates} of them sent again, ${webhooks.failed} failed`,
    `answers    p50 ${webhooks.p50Ms} ms   p99 ${webhooks.p99Ms} ms   longest ${webhooks.maxMs} ms`,
    `  by the minute, p99: ${webhooks.byMinute.map(({ p99Ms }) => Math.round(p99Ms)).join(' ')}`,
    `sync       p50 ${sync.p50Ms} ms   p99 ${sync.p99Ms} ms   longest ${sync.maxMs} ms, webhook sent to shown in all other shops, of ${sync.sent} sales`,
    `queues     at most ${report.mostDirtyListings} dirty listings and ${report.mostInInbox} webhooks; lag ${lagSeconds.perHour} s an hour; empty ${report.quietAfterSeconds} s after the last webhook`,
    `resident   ${slope(resident)}`,
    `heap       ${slope(heap)}`,
    `metrics    median ${report.metricsMs.median} ms, ${report.metricsMs.perHour} ms an hour`,
    `jobs       ${report.jobs.map(({ job, runs, meanSeconds }) => `${job} ${runs} × ${meanSeconds} s`).join(', ')}`,
    `equal      ${Object.entries(report.differing)
      .map(([name, count]) => `${name}: ${count} differ`)
      .join(', ')}`,
    `ledger     ${report.verified ? 'verified' : 'NOT sound'}`,
    broken.length === 0 ? 'Every limit was kept.' : `NOT KEPT: ${broken.join('; ')}.`,
    '',
  ].join('\n');
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
