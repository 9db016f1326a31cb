import type { KpiUnit } from '../types';
import { linkTo } from '../route';
import { duration } from './time';

interface Words {
  name: string;
  /** What it says, in a sentence; `docs/kpis.md` has the formula. */
  says: string;
}

/** In the words of an operator. A figure that is not here is called as the API calls it. */
const WORDS: Record<string, Words> = {
  oversells: { name: 'Oversells', says: 'Order lines that a channel accepted and stock did not cover.' },
  reservation_conflict_rate: {
    name: 'Reservation conflicts',
    says: 'Share of reservations that were refused because the stock was gone.',
  },
  sync_latency_p50_seconds: {
    name: 'Sync latency, median',
    says: 'From the moment stock changed to the moment the channel had taken it, for half of all changes.',
  },
  sync_latency_p99_seconds: {
    name: 'Sync latency, slowest 1 %',
    says: 'From the moment stock changed to the moment the channel had taken it; 99 of 100 changes were faster.',
  },
  sync_under_target_ratio: {
    name: 'Synced in time',
    says: 'Share of changes that channels had taken within the target.',
  },
  stranded_reservations: {
    name: 'Stranded reservations',
    says: 'Reservations held for so long that nobody may still be waiting for them.',
  },
  ledger_drift_ratio: { name: 'Ledger drift', says: 'How far counts found the ledger off, at worst.' },
  reconciliation_drift_ratio: {
    name: 'Drift at channels',
    says: 'Share of compared listings that showed what nothing on its way explains.',
  },
  manual_interventions: { name: 'Done by hand', says: 'Times that a person had to step in.' },
  stock_cancellations: {
    name: 'Cancelled for stock',
    says: 'Orders cancelled because stock did not cover them.',
  },
  buffer_releases: { name: 'Buffer releases', says: 'Times that withheld units were put on sale.' },
  push_queue_depth: { name: 'Push queue', says: 'Listings whose quantity their channel has not taken yet.' },
  api_error_ratio: {
    name: 'Failed channel calls',
    says: 'Share of calls that channels did not answer, or with an error.',
  },
  api_throttled_ratio: {
    name: 'Throttled channel calls',
    says: 'Share of calls that channels refused because there were too many.',
  },
};

export function kpiWords(name: string): Words {
  return WORDS[name] ?? { name: name.replaceAll('_', ' '), says: '' };
}

const COUNT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const SHARE = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 2 });

export function kpiValue(value: number | null, unit: KpiUnit): string {
  if (value === null) return 'no data';
  if (unit === 'ratio') return SHARE.format(value);
  return unit === 'seconds' ? duration(value) : COUNT.format(value);
}

export const WINDOWS = [
  { value: '1h', text: 'last hour' },
  { value: '24h', text: 'last 24 hours' },
  { value: '7d', text: 'last 7 days' },
  { value: '30d', text: 'last 30 days' },
];

export const DEFAULT_WINDOW = '24h';

/** With `from` and `to` what the figure counts is listed of that time only. */
export interface KpiQuery {
  window?: string;
  channel?: string;
  from?: string;
  to?: string;
}

export function kpiLink(name: string, query: KpiQuery): string {
  return linkTo(`/kpis/${name}`, { ...query });
}

/** What there was at a moment, of which only the figure is kept; the others count what happened. */
export function isLevel(name: string): boolean {
  return name === 'push_queue_depth' || name === 'stranded_reservations';
}
