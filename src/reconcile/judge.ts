/** What is known of one listing at one of its channel's locations, by this host's tables. */
export interface Facts {
  /** To be pushed, or being pushed. */
  dirty: boolean;
  /** Its push was refused for good; it waits for a person. */
  parked: boolean;
  pushedUnits: number | null;
  pushedAt: Date | null;
  /** What the channel was known to show before it was read just now. */
  shownUnits: number | null;
  shownAt: Date | null;
  lastPush: LastPush | null;
}

export interface LastPush {
  state: string;
  quantity: number;
  /** What the channel had taken before it. */
  previous: number | null;
  answeredAt: Date | null;
}

/** What the channel showed in a page that was asked for at `readAt`, beside what it should show. */
export interface Shown {
  shownUnits: number;
  expectedUnits: number;
  readAt: Date;
  /** How long a channel may take to show what it accepted. */
  confirmWithinMs: number;
}

export type Verdict = 'equal' | 'in-flight' | 'drift' | 'not-applied' | 'channel-edit';

/** A push writes both times in one statement; a later read of the channel comes after a call at least. */
const SAME_MOMENT_MS = 5;

/**
 * Why a channel shows what it shows. Orders not heard of are left out: whoever asks has them read first. Pure.
 *
 * In flight is whatever was on its way at any moment from when the page was asked for: the page may be older than
 * the push, so that the two say nothing of each other.
 */
export function judge({ shownUnits, expectedUnits, ...shown }: Shown, facts: Facts): Verdict {
  if (shownUnits === expectedUnits) return 'equal';
  if (isInFlight(facts, shown)) return 'in-flight';
  const { lastPush } = facts;
  // Nothing is on its way, and yet the channel was told something else, or nothing: the fault is ours.
  if (!lastPush || lastPush.quantity !== expectedUnits || facts.parked) return 'drift';
  if (lastPush.state === 'failed' || lastPush.state === 'accepted') return 'not-applied';
  const wasSeenSince =
    facts.shownUnits === expectedUnits &&
    facts.shownAt !== null &&
    facts.pushedAt !== null &&
    facts.shownAt.getTime() - facts.pushedAt.getTime() > SAME_MOMENT_MS;
  return !wasSeenSince && shownUnits === lastPush.previous ? 'not-applied' : 'channel-edit';
}

function isInFlight(
  { dirty, pushedAt, lastPush }: Facts,
  { readAt, confirmWithinMs }: Pick<Shown, 'readAt' | 'confirmWithinMs'>,
): boolean {
  if (dirty || lastPush?.state === 'sent') return true;
  const answeredMs = lastPush?.answeredAt?.getTime() ?? 0;
  const graceMs = lastPush?.state === 'accepted' ? confirmWithinMs : 0;
  return Math.max(pushedAt?.getTime() ?? 0, answeredMs + graceMs) >= readAt.getTime();
}
