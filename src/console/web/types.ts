/** What the API answers, as far as the console shows it. */

export interface Page<T> {
  items: T[];
  nextCursor?: string;
}

export interface ChannelStatus {
  name: string;
  plugin: string;
  pluginVersion?: string;
  mode: 'observe' | 'pilot' | 'live';
  state: 'ready' | 'failed';
  error?: string;
  paused?: { reason: string; by: string; since: string };
  breaker: { state: 'closed' | 'open' | 'half-open'; reason: string | null };
  stale: { reason: string } | null;
  listings: number;
  dirty: number;
  parkedListings: number;
  lagSeconds: number;
  lastError: string | null;
  inbox: { received: number; parked: number; applied: number; duplicates: number };
  parkedLines: number;
  parkedOrders: number;
  openShortfalls: number;
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

export interface LevelView {
  physical: number;
  available: number;
  reserved: number;
  quarantined: number;
  damaged: number;
  inTransit: number;
  onOrder: number;
}

export interface Stock {
  sku: string;
  total: LevelView;
  locations: ({ location: string } & LevelView)[];
}

export interface LedgerEvent {
  seq: number;
  type: string;
  location: string;
  from: string;
  to: string;
  quantity: number;
  after: LevelView;
  channel: string | null;
  orderId: string | null;
  reason: string | null;
  actor: string;
  occurredAt: string;
  recordedAt: string;
}

export interface ListingView {
  id: number;
  channel: string;
  channelSku: string;
  quantity: number;
  pushed: number | null;
  shown: number | null;
  dirty: boolean;
  parked: boolean;
  lastError: string | null;
  waits: { for: string; until: string } | null;
}

export interface WithheldUnits {
  kind: string;
  units: number;
  reason: string;
}

export interface WaterfallView extends ListingView {
  components: {
    sku: string;
    unitsPerListing: number;
    physical: number;
    reserved: number;
    quarantined: number;
    damaged: number;
    available: number;
    buffers: WithheldUnits[];
    sellable: number;
    listings: number;
  }[];
  uncapped: number;
  cap: number | null;
  capSource: string | null;
}

export interface Oversell {
  id: number;
  channel: string;
  orderId: string;
  state: 'held' | 'grace' | 'backordered' | 'cancelling' | 'pending' | 'resolved' | 'closed';
  units: number;
  note: string | null;
  dueAt: string | null;
  placedAt: string | null;
  openedAt: string;
  shortfalls: {
    id: number;
    lineId: string;
    sku: string;
    quantity: number;
    takenBy: { channel: string | null; orderId: string | null; quantity: number; secondsBefore: number }[];
  }[];
}

/** One thing that waits for a person; which fields it has is its kind's. */
export interface Parked {
  id?: number;
  listingId?: number;
  channel: string;
  channelSku?: string;
  topic?: string;
  orderId?: string;
  reason?: string;
  error?: string | null;
  parkedAt: string;
}
