import type { ScaledTime } from './scaled-time';

/** One attempt to change a listing. */
export interface Revision {
  at: number;
  listingId: string;
  channelSku: string;
  /** The listing could be changed no more that day. */
  isRefused: boolean;
}

/** "Each listing can be revised up to 250 times in one calendar day." Counts them, and keeps the log. */
export class RevisionBook {
  readonly log: Revision[] = [];
  private readonly counts = new Map<string, { day: number; count: number }>();

  constructor(
    private readonly perDay: number,
    private readonly time: ScaledTime,
  ) {}

  /** Whether the listing may be changed once more; where it may, it is counted. */
  revise(listingId: string, channelSku: string, atMs: number): boolean {
    const day = this.time.dayOf(atMs);
    const known = this.counts.get(listingId);
    const count = known?.day === day ? known.count : 0;
    const isRefused = count >= this.perDay;
    this.log.push({ at: atMs, listingId, channelSku, isRefused });
    if (!isRefused) this.counts.set(listingId, { day, count: count + 1 });
    return !isRefused;
  }

  /** Attempts that eBay's bound did not allow; none where a caller keeps to it. */
  get breaches(): Revision[] {
    return this.log.filter(({ isRefused }) => isRefused);
  }
}
