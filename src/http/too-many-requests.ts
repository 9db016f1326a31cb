import { Problem } from './problem';

interface MetLimit {
  /** Requests in `windowSeconds`. */
  limit: number;
  windowSeconds: number;
  waitMs: number;
}

/**
 * A caller has met a limit of this host. Its headers say when to come again.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export class TooManyRequests extends Problem {
  readonly headers: Readonly<Record<string, string>>;

  constructor(detail: string, { limit, windowSeconds, waitMs }: MetLimit) {
    super('too-many-requests', detail);
    const waitSeconds = String(Math.ceil(waitMs / 1000));
    this.headers = {
      'Retry-After': waitSeconds,
      'RateLimit-Policy': `"onhand";q=${limit};w=${windowSeconds}`,
      RateLimit: `"onhand";r=0;t=${waitSeconds}`,
    };
  }
}
