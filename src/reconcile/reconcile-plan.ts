import type { RateLimit } from '../channel-api';
import type { ReadyChannel } from '../channels/channels.service';
import type { ReconcileReport } from './reconcile-report';

/** What comparing a channel will take, told before it begins. */
export interface ReconcilePlan {
  channel: string;
  listings: number;
  /** Calls that read what the channel shows. */
  calls: number;
  /** At the channel's own limit, with nothing else sent meanwhile; live pushes share it. */
  minutes: number;
  /** The limit that decides how long it takes, such as `api: 5/s`. */
  limit: string;
  /** Where the number of calls comes from. */
  basis: 'the last run' | 'the plugin' | 'a guess of 100 rows a call';
}

const GUESSED_ROWS = 100;

/** `rows`: listings, times the channel's locations where it keeps stock by location. */
export function planOf(
  { name, capabilities, limits }: Pick<ReadyChannel, 'name' | 'capabilities' | 'limits'>,
  listings: number,
  rows: number,
  last: Pick<ReconcileReport, 'pages' | 'listings'> | undefined,
): ReconcilePlan {
  const { inventoryReads } = capabilities;
  const usable = last && last.pages > 0 && last.listings > 0 ? last : undefined;
  const rowsPerCall = inventoryReads?.rowsPerCall ?? GUESSED_ROWS;
  const calls = usable
    ? Math.max(1, Math.ceil((usable.pages * rows) / usable.listings))
    : Math.max(1, Math.ceil(rows / rowsPerCall));
  const named = limits.filter((limit) => limit.name === inventoryReads?.limit);
  const slowest = (named.length > 0 ? named : limits)
    .map((limit) => ({ limit, seconds: secondsOf(limit, calls) }))
    .reduce((a, b) => (b.seconds > a.seconds ? b : a), {
      limit: undefined as RateLimit | undefined,
      seconds: 0,
    });
  return {
    channel: name,
    listings,
    calls,
    minutes: Math.round(slowest.seconds / 6) / 10,
    limit: slowest.limit ? limitText(slowest.limit) : 'none that would slow it',
    basis: usable ? 'the last run' : inventoryReads ? 'the plugin' : 'a guess of 100 rows a call',
  };
}

function secondsOf(limit: RateLimit, calls: number): number {
  switch (limit.kind) {
    case 'rolling':
      return Math.floor((calls - 1) / limit.quota) * limit.windowSeconds;
    case 'daily':
      return Math.floor((calls - 1) / limit.quota) * 86_400;
    default:
      return Math.max(0, calls - limit.burst) / limit.perSecond;
  }
}

function limitText(limit: RateLimit): string {
  switch (limit.kind) {
    case 'rolling':
      return `${limit.name}: ${limit.quota} in ${limit.windowSeconds} s`;
    case 'daily':
      return `${limit.name}: ${limit.quota} a day`;
    default:
      return `${limit.name}: ${limit.perSecond}/s`;
  }
}

export function planLine({ channel, listings, calls, minutes, limit, basis }: ReconcilePlan): string {
  return `${channel}: comparing ${listings} listings takes ${calls} calls (by ${basis}), ${minutes} minutes at ${limit}`;
}
