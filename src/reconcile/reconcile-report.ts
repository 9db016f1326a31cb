import type { DriftCause } from './drift-records';

/** What a comparison of a channel found; counts of listings, for each of the channel's locations where it has such. */
export interface ReconcileReport {
  id: string;
  channel: string;
  listings: number;
  equal: number;
  /** On their way: different, and about to be put right. */
  inFlight: number;
  /** Different because of an order that nobody had told of; it was read, and explains them. */
  unseenOrders: number;
  /** The channel took our quantity and does not show it. */
  notApplied: number;
  /** The channel showed our quantity, and somebody changed it there. */
  channelEdits: number;
  /** Nobody told the channel what it should show, or it refused for good. */
  drift: number;
  /** Fewer than there should be, while the channel's orders cannot be read: left alone. */
  ordersUnread: number;
  /** All that nothing on its way explains: the four above. */
  drifted: number;
  /** Mapped listings that the channel does not show. */
  missing: number;
  /** SKUs that the channel shows and nobody mapped. */
  unmapped: number;
  /** Pushed again, and left to a person because that did not last. */
  corrected: number;
  escalated: number;
  pages: number;
  seconds: number;
}

const FIELD_OF: Readonly<
  Partial<Record<DriftCause, 'drift' | 'notApplied' | 'channelEdits' | 'ordersUnread'>>
> = {
  drift: 'drift',
  'not-applied': 'notApplied',
  'channel-edit': 'channelEdits',
  'orders-unread': 'ordersUnread',
};

export function emptyReport(id: string, channel: string): ReconcileReport {
  return {
    id,
    channel,
    listings: 0,
    equal: 0,
    inFlight: 0,
    unseenOrders: 0,
    notApplied: 0,
    channelEdits: 0,
    drift: 0,
    ordersUnread: 0,
    drifted: 0,
    missing: 0,
    unmapped: 0,
    corrected: 0,
    escalated: 0,
    pages: 0,
    seconds: 0,
  };
}

export function countCause(report: ReconcileReport, cause: DriftCause): void {
  if (cause === 'unseen-order') report.unseenOrders++;
  const field = FIELD_OF[cause];
  if (!field) return;
  report[field]++;
  report.drifted++;
}

export function reportLine(report: ReconcileReport): string {
  const { channel, equal, inFlight, unseenOrders, drifted, missing, unmapped, corrected, escalated } = report;
  return (
    `${channel}: ${equal} equal, ${inFlight} in flight, ${unseenOrders} by orders unheard of, ${drifted} drifted ` +
    `(${corrected} pushed again, ${escalated} left to a person), ${missing} missing, ${unmapped} unmapped`
  );
}
