import type { ChannelSimulator } from '../channel-api/simulator';
import { type ChannelStatus, isQuiet } from './channel-status';
import type { Comparison, Difference } from './compare-channel';
import type { HostClient } from './host-client';
import type { PostedEvents } from './ledger-posts';
import type { WebhookCounts } from './order-channel';
import type { DocumentLine, OrderFile } from './order-file';
import type { ReplayOptions } from './replay';

export type EventsByType = Record<string, number>;

/** What a replay did and found. Printed as it stands by `--json`. */
export interface Summary {
  source: string;
  seed: number;
  opening: number;
  speed: number;
  /** In the file: documents, and lines below the header. */
  documents: number;
  lines: number;
  /** Documents by what they did; `empty` ones had no line that moves stock. */
  orders: number;
  returns: number;
  corrections: number;
  empty: number;
  /** Lines that move no stock, by code. */
  unusable: Record<string, number>;
  skus: number;
  /** Deliveries answered 2xx, and how many of them were sent again on purpose. */
  webhooks: number;
  webhooksRepeated: number;
  /** Deliveries that the host knew already. */
  duplicatesIgnored: number;
  /** Events that this run added to the ledger. */
  events: number;
  eventsByType: EventsByType;
  /** API events that the ledger refused, by the code of the problem. */
  refused: Record<string, { count: number; example: string }>;
  shortfalls: number;
  /** Units still reserved at the end; 0 once every order is shipped. */
  reservedUnits: number;
  parkedLines: number;
  parkedWebhooks: number;
  parkedListings: number;
  /** Shipments and inspections left out because their time has not come. */
  inFuture: number;
  /** Listings of the simulated channel. */
  listings: number;
  /** True when every listing shows what the ledger says. */
  channelEqual: boolean;
  /** How many do not, and the first of them. */
  differing: number;
  differences: Difference[];
  /** Calls of the channel's API by status; 0 where the connection broke. */
  channelCalls: Record<string, number>;
  /** False when webhooks or pushes were still waiting at the end. */
  quiet: boolean;
  /** True when the file had been replayed on this host before, and a reconciliation was asked for at the end. */
  repeatedRun: boolean;
  /** Invariant I1, checked by the host in one snapshot. */
  verified: boolean;
  /** From the first write until nothing moved any more; `quietSeconds` of them after the last write. */
  seconds: number;
  quietSeconds: number;
  eventsPerSecond: number;
}

export interface Outcome {
  file: OrderFile;
  options: ReplayOptions;
  events: EventsByType;
  posted: PostedEvents;
  webhooks: WebhookCounts;
  inFuture: number;
  isRepeated: boolean;
  status: ChannelStatus;
  listings: number;
  calls: ChannelSimulator['calls'];
  comparison: Comparison;
  verified: boolean;
  shortfalls: number;
  seconds: { total: number; quiet: number };
}

const NAMED_DIFFERENCES = 10;

export async function readLedger(host: HostClient): Promise<EventsByType> {
  return (await host.get<{ byType: EventsByType }>('/v1/ledger')).byType;
}

/** True when the host kept its promises; the exit code hangs on it. */
export function isGood({ channelEqual, verified, quiet }: Summary): boolean {
  return channelEqual && verified && quiet;
}

export function summaryOf(outcome: Outcome): Summary {
  const { file, options, posted, webhooks, status, seconds } = outcome;
  const { differences, reservedUnits } = outcome.comparison;
  const withLine = (kind: DocumentLine['kind']) =>
    file.documents.filter(({ lines }) => lines.some((line) => line.kind === kind)).length;
  const events = Object.values(outcome.events).reduce((total, count) => total + count, 0);
  return {
    source: file.source,
    seed: options.seed,
    opening: options.opening,
    speed: options.speed,
    documents: file.documents.length,
    lines: file.lines,
    orders: withLine('ordered'),
    returns: withLine('returned'),
    corrections: withLine('corrected'),
    empty: file.documents.filter(({ lines }) => lines.length === 0).length,
    unusable: file.unusable,
    skus: file.skus.size,
    webhooks: webhooks.sent,
    webhooksRepeated: webhooks.repeated,
    duplicatesIgnored: webhooks.duplicates,
    events,
    eventsByType: outcome.events,
    refused: Object.fromEntries(posted.refused),
    shortfalls: outcome.shortfalls,
    reservedUnits,
    parkedLines: status.parkedLines,
    parkedWebhooks: status.inbox.parked,
    parkedListings: status.parkedListings ?? 0,
    inFuture: outcome.inFuture,
    listings: outcome.listings,
    channelEqual: differences.length === 0,
    differing: differences.length,
    differences: differences.slice(0, NAMED_DIFFERENCES),
    channelCalls: callsByStatus(outcome.calls),
    quiet: isQuiet(status),
    repeatedRun: outcome.isRepeated,
    verified: outcome.verified,
    seconds: rounded(seconds.total),
    quietSeconds: rounded(seconds.quiet),
    eventsPerSecond: Math.round(events / Math.max(seconds.total, 0.001)),
  };
}

function callsByStatus(calls: ChannelSimulator['calls']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of calls) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
