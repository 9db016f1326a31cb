import type { AlertRuleKey } from '../config/alerts.config';
import { counted, spokenSeconds, spokenShare } from './finding';
import { RULE_QUERIES } from './rule-queries';

/** A row that a rule's query answers. */
export interface RuleRow {
  channel: string | null;
  subject: string | null;
  value: number;
  threshold: number;
  raises: boolean;
  tags?: string[];
  /** Whatever else its summary tells. */
  detail?: string | null;
  count?: number;
}

export interface AlertRule {
  name: string;
  key: AlertRuleKey;
  unit: 'seconds' | 'ratio' | 'count';
  /** When it is raised, for people. */
  title: string;
  /** As `RULE_QUERIES` has it. */
  query: string | null;
  summary(row: RuleRow): string;
}

/** What stands between a query and a person. Each summary ends with what to do next. */
const RULES: { [Key in AlertRuleKey]: Omit<AlertRule, 'key' | 'query'> } = {
  breakerOpenSeconds: {
    name: 'breaker-open',
    unit: 'seconds',
    title: 'A channel has not answered for longer than this',
    summary: ({ channel, value, detail }) =>
      `${channel} has not answered for ${spokenSeconds(value)} (${detail ?? 'no reason is known'}). Nothing is pushed to it meanwhile. See whether it is down and whether its credentials hold (onhand doctor); it is asked again by itself.`,
  },
  ordersUnreadSeconds: {
    name: 'orders-unread',
    unit: 'seconds',
    title: "A channel's orders could not be read for longer than this",
    summary: ({ channel, value, detail }) =>
      `The orders of ${channel} could not be read for ${spokenSeconds(value)}: ${detail ?? 'no reason is known'}. What it sells is known by webhook only. Check its credentials and scopes (onhand doctor).`,
  },
  queueListings: {
    name: 'queue-depth',
    unit: 'count',
    title: 'More listings of a channel than this wait to be pushed',
    summary: ({ channel, value }) =>
      `${counted(value, 'listing')} of ${channel} wait to be pushed. See its limits and errors under Channels; a channel that takes more in a batch, or a higher limit, shortens the queue.`,
  },
  queueSeconds: {
    name: 'queue-age',
    unit: 'seconds',
    title: 'A changed quantity has waited for longer than this to be pushed',
    summary: ({ channel, value, detail }) =>
      `${channel} shows a quantity that changed ${spokenSeconds(value)} ago.${detail ? ` Its last error: ${detail}.` : ''} See its errors and limits under Channels, and whether a host with the role worker runs.`,
  },
  throttledRatio: {
    name: 'throttled',
    unit: 'ratio',
    title: "A larger share of a channel's calls than this was answered 429 in the last hour",
    summary: ({ channel, value }) =>
      `${channel} answered ${spokenShare(value)} of the last hour's calls with 429. Another program may use the same credentials: give it its own, or lower the limit in the channel's options.`,
  },
  driftEscalated: {
    name: 'drift-escalated',
    unit: 'count',
    title: 'More listings of a channel than this drift again after every correction',
    summary: ({ channel, value, detail }) =>
      `${counted(value, 'listing')} of ${channel} (${detail}) keep showing another quantity than was pushed. Find who else writes stock there, such as an app or a feed, switch that off, then press Correct under Drift.`,
  },
  driftRatio: {
    name: 'drift-ratio',
    unit: 'ratio',
    title: "A larger share of a channel's listings than this had drifted at its last comparison",
    summary: ({ channel, value, count }) =>
      `${counted(count!, 'listing')} of ${channel} (${spokenShare(value)}) showed another quantity than they should. See the causes under Drift; they are corrected unless the channel only reports.`,
  },
  countDriftRatio: {
    name: 'count-drift',
    unit: 'ratio',
    title: 'The last count differed from the ledger by a larger share of the units than this',
    summary: ({ subject, value }) =>
      `The last count of ${subject} differs from the ledger by ${spokenShare(value)} of the units. Look at its lines under Counts, approve or reject those that wait, and find the movements that were never booked.`,
  },
  lowStock: {
    name: 'low-stock',
    unit: 'ratio',
    title: 'A SKU has no more available than this share of its reorder point',
    summary: ({ subject, value, threshold, count }) =>
      `${subject} has ${counted(value, 'unit')} available, and is to be ordered again at ${threshold}.${count ? ` ${counted(count, 'unit')} are on order already.` : ' Order it, and book the order with EXPECT so that it shows.'}`,
  },
  strandedReservations: {
    name: 'stranded-reservations',
    unit: 'count',
    title: 'More reservations than this are not fulfilled by anybody',
    summary: ({ value, count }) =>
      `${counted(value, 'reservation')} with ${counted(count!, 'unit')} have been open for too long. List them with onhand stranded; ship them, or release those that nobody wants any more.`,
  },
  oversellSeconds: {
    name: 'oversells',
    unit: 'seconds',
    title: 'An order that stock does not cover has waited for longer than this',
    summary: ({ channel, value, count }) =>
      `${counted(count!, 'order')} of ${channel} sold what is not there, the oldest ${spokenSeconds(value)} ago. Decide under Oversells which to cancel, to fill from elsewhere or to backorder.`,
  },
  parkedItems: {
    name: 'parked',
    unit: 'count',
    title: 'More items of a channel than this wait for a person',
    summary: ({ channel, value, detail }) =>
      `${counted(value, 'item')} of ${channel} wait for a person: ${detail}. Map what is unmapped, then try again or dismiss under Parked.`,
  },
  taskOverdueSeconds: {
    name: 'task-overdue',
    unit: 'seconds',
    title: 'A recurring task has been due for longer than this',
    summary: ({ subject, value }) =>
      `${subject} should have run ${spokenSeconds(value)} ago. See that a host with the role worker and one with the role scheduler run, and that they reach the database.`,
  },
  taskFailingSeconds: {
    name: 'task-failing',
    unit: 'seconds',
    title: 'Every run of a recurring task has failed for longer than this',
    summary: ({ subject, value, detail }) =>
      `${subject} has failed for ${spokenSeconds(value)}: ${detail ?? 'see the log'}. Put right what it says, then run it with onhand schedule run ${subject}.`,
  },
  receiverFailingSeconds: {
    name: 'receiver-failing',
    unit: 'seconds',
    title: 'A receiver has taken nothing for longer than this',
    summary: ({ subject, value, detail, count }) =>
      `The receiver ${subject} has taken nothing for ${spokenSeconds(value)} (${detail ?? 'no reason is known'}); ${counted(count!, 'delivery').replace('deliverys', 'deliveries')} wait. Put it right, try it with onhand receivers test ${subject}, then onhand deliveries retry --receiver ${subject}.`,
  },
  ledgerViolations: {
    name: 'ledger-check',
    unit: 'count',
    title: 'The last check of the ledger found more contradictions than this',
    summary: ({ value }) =>
      `The last check of the ledger found ${counted(value, 'contradiction')}. Read them with onhand verify; levels that do not follow from the ledger are put right by onhand rebuild.`,
  },
};

/** In the order in which they are told. */
export const ALERT_RULES: readonly AlertRule[] = (
  Object.entries(RULES) as [AlertRuleKey, (typeof RULES)[AlertRuleKey]][]
).map(([key, rule]) => ({ ...rule, key, query: RULE_QUERIES[key] }));
