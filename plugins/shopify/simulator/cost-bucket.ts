/** Points: at most `maximumAvailable` at once, `restoreRate` more each second. */
export interface BucketSize {
  maximumAvailable: number;
  restoreRate: number;
}

export interface ThrottleStatus extends BucketSize {
  currentlyAvailable: number;
}

/** A query as the bucket saw it. `actual` is null where it was refused. */
export interface CostedCall {
  at: number;
  requested: number;
  actual: number | null;
  /** Points that were there when it came. */
  available: number;
  /** It asked for more than was there. */
  isBreach: boolean;
}

/**
 * The points of one app in one shop: a query takes what it asks for and gets back what it did not use
 * (shopify.dev/api/usage/limits). Kept apart from the host's own buckets, so that no error can hide in both.
 */
export class CostBucket {
  readonly calls: CostedCall[] = [];
  private available: number;
  private asOf = Date.now();

  constructor(
    private size: BucketSize,
    /** Refuses a query that asks for more than is there; otherwise it is only noted. */
    private readonly enforces: boolean,
  ) {
    this.available = size.maximumAvailable;
  }

  get breaches(): readonly CostedCall[] {
    return this.calls.filter(({ isBreach }) => isBreach);
  }

  /** Takes points for a query, and answers whether it may run. */
  take(requested: number): CostedCall & { mayRun: boolean } {
    this.refill();
    const isBreach = requested > this.available;
    const mayRun = !isBreach || !this.enforces;
    const call = { at: this.asOf, requested, actual: null, available: this.available, isBreach, mayRun };
    this.calls.push(call);
    if (mayRun) this.available -= requested;
    return call;
  }

  settle(call: CostedCall, actual: number): void {
    this.refill();
    call.actual = actual;
    this.available = Math.min(this.available + call.requested - actual, this.size.maximumAvailable);
  }

  status(): ThrottleStatus {
    this.refill();
    return { ...this.size, currentlyAvailable: Math.max(Math.floor(this.available), 0) };
  }

  /** Shopify may take back some of the rate for a while (shopify.dev/docs/api/usage/rate-limits); what is there stays. */
  restoreAt(restoreRate: number): void {
    this.refill();
    this.size = { ...this.size, restoreRate };
  }

  private refill(): void {
    const now = Date.now();
    const gained = (Math.max(now - this.asOf, 0) / 1000) * this.size.restoreRate;
    this.available = Math.min(this.available + gained, this.size.maximumAvailable);
    this.asOf = now;
  }
}
