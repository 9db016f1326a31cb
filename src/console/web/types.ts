/** What the API answers, as far as the console shows it. */

export interface Page<T> {
  items: T[];
  nextCursor?: string;
}

export interface Breaker {
  state: 'closed' | 'open' | 'half-open';
  since: string;
  reason: string | null;
  /** A person keeps it in this state. */
  held: boolean;
  probeAt: string | null;
}

export interface ChannelStatus {
  name: string;
  plugin: string;
  pluginVersion?: string;
  /** Its account’s owner consents in a browser. */
  consents?: boolean;
  mode: 'observe' | 'pilot' | 'live';
  state: 'ready' | 'failed';
  error?: string;
  paused?: { reason: string; by: string; since: string };
  breaker: Breaker;
  stale: { since: string; reason: string } | null;
  listings: number;
  dirty: number;
  parkedListings: number;
  lagSeconds: number;
  lastError: string | null;
  inbox: { received: number; parked: number };
  parkedLines: number;
  parkedOrders: number;
  openShortfalls: number;
  orderPolls: {
    coveredAt: string | null;
    orders: number;
    failingSince: string | null;
    error: string | null;
  } | null;
  subscription: { url: string; subscribedAt: string | null; error: string | null } | null;
}

export type TaskState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export interface OpenTask {
  id: string;
  kind: string;
  /** Such as a channel, or `ledger`. */
  subject: string;
  state: TaskState;
  askedBy: string;
  askedAt: string;
  startedAt: string | null;
  cancelAskedAt: string | null;
  done: number;
  total: number | null;
  note: string | null;
}

export interface Task extends OpenTask {
  finishedAt: string | null;
  report: Record<string, unknown> | null;
  error: string | null;
}

export interface ScheduledTask {
  name: string;
  job: string;
  key: string | null;
  everySeconds: number;
  running: boolean;
  nextAt: string;
  lastStartedAt: string | null;
  lastFinishedAt: string | null;
  lastSeconds: number | null;
  lastOutcome: 'done' | 'failed' | null;
  lastError: string | null;
  runs: number;
  failures: number;
}

export type KpiUnit = 'ratio' | 'seconds' | 'count';

export interface Kpi {
  name: string;
  value: number | null;
  unit: KpiUnit;
  aim: { max: number } | null;
  met: boolean | null;
  /** Path of the API that lists what the figure counts. */
  events: string | null;
}

export interface KpiReading {
  at: string;
  windowSeconds: number;
  items: Kpi[];
}

export interface KpiHistory {
  name: string;
  unit: KpiUnit;
  stepSeconds: number;
  points: { at: string; value: number | null }[];
}

export interface LimitLevel {
  name: string;
  kind: 'bucket' | 'rolling' | 'daily';
  left: number;
  most: number;
  underWay: number;
  perSecond: number | null;
  windowSeconds: number | null;
  resetsAtUtc: string | null;
  closedForSeconds: number;
  learned: Record<string, number | string>;
  usedAt: string | null;
}

export interface Alert {
  id: number;
  key: string;
  rule: string;
  severity: 'warning' | 'critical';
  channel: string | null;
  subject: string | null;
  summary: string;
  value: number | null;
  threshold: number | null;
  state: 'open' | 'acknowledged' | 'resolved';
  count: number;
  firstAt: string;
  lastAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  resolvedAt: string | null;
  /** A path of the console. */
  link: string | null;
}

export interface Receiver {
  name: string;
  kind: string;
  /** Of its address, only whose it is. */
  address: string;
  events: string[];
  channels: string[];
  state: 'active' | 'failing' | 'disabled';
  failures: number;
  failingSince: string | null;
  lastStatus: number | null;
  lastError: string | null;
  lastDeliveredAt: string | null;
  waiting: number;
  givenUp: number;
}

export interface Delivery {
  id: string;
  receiver: string;
  event: string;
  subject: string | null;
  state: 'waiting' | 'delivered' | 'given-up';
  attempts: number;
  status: number | null;
  error: string | null;
  createdAt: string;
  nextAt: string | null;
  deliveredAt: string | null;
}

export interface Activity {
  id: string;
  at: string;
  actor: { kind: 'key' | 'session' | 'cli' | 'host'; name: string };
  action: string;
  subject: string | null;
  channel: string | null;
  outcome: 'done' | 'refused';
  status: number | null;
  requestId: string | null;
  detail: Record<string, unknown> | null;
}
