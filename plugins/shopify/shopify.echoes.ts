import type { ChannelClock } from 'onhand/channel-api';

/** Shopify may tell of a push minutes later. */
const REMEMBERED_MS = 15 * 60_000;
const LEVELS_KEPT = 50_000;

/**
 * What was pushed of late, by level: Shopify tells of each change of a level, our own included, and does not
 * say whose it was.
 */
export class Echoes {
  private readonly pushed = new Map<string, { quantity: number; sentAt: number }>();

  constructor(private readonly clock: ChannelClock) {}

  note(itemId: string, locationId: string, quantity: number, sentAt: number): void {
    const level = levelKey(itemId, locationId);
    this.pushed.delete(level);
    if (this.pushed.size >= LEVELS_KEPT) this.pushed.delete(this.pushed.keys().next().value as string);
    this.pushed.set(level, { quantity, sentAt });
  }

  /** True where a change is our own, or was overtaken by a push that was sent after it. */
  isEcho(itemId: string, locationId: string, quantity: number, changedAt: number): boolean {
    const last = this.pushed.get(levelKey(itemId, locationId));
    if (!last || last.sentAt < this.clock.now().getTime() - REMEMBERED_MS) return false;
    return last.quantity === quantity || changedAt < last.sentAt;
  }
}

function levelKey(itemId: string, locationId: string): string {
  return `${itemId} ${locationId}`;
}
