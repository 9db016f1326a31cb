import type { AddressGuard } from '../channels/address-guard';
import { createGuardedFetch, type GuardedFetch } from '../channels/guarded-fetch';
import { parseRetryAfter } from '../channel-api/retry-after';
import { DELIVERED, failed, type Outcome } from './sender';

/** Whoever asks for a longer pause than this is asked again then. */
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;

/** POSTs JSON to one address, which is checked by the guard. Redirects are not followed; answers are not read. */
export class HttpSender {
  private readonly guarded: GuardedFetch;

  constructor(
    private readonly url: string,
    private readonly timeoutSeconds: number,
    guard: AddressGuard,
  ) {
    this.guarded = createGuardedFetch(guard);
  }

  /** Never rejects. */
  async post(body: string, headers: Record<string, string> = {}): Promise<Outcome> {
    try {
      const response = await this.guarded.fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'Onhand', ...headers },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(this.timeoutSeconds * 1000),
      });
      // What it says may be anything, its own secrets too, and may never end.
      await response.body?.cancel().catch(() => undefined);
      return outcomeOf(response);
    } catch (error) {
      return failed(reasonOf(error as Error, this.timeoutSeconds));
    }
  }

  close(): Promise<void> {
    return this.guarded.close();
  }
}

function outcomeOf({ status, headers, ok }: Response): Outcome {
  if (ok) return DELIVERED(status);
  if (status === 410) return failed('it answered 410: it wants nothing any more', { status, gone: true });
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), new Date(), LONGEST_RETRY_AFTER_MS);
  const why = status >= 300 && status < 400 ? `a redirect (${status}), which is not followed` : `${status}`;
  return failed(`it answered ${why}`, {
    status,
    ...(retryAfterMs !== undefined && { retryAfterSeconds: retryAfterMs / 1000 }),
  });
}

function reasonOf(error: Error, timeoutSeconds: number): string {
  if (error.name === 'TimeoutError') return `no answer within ${timeoutSeconds} s`;
  const cause = error.cause as { code?: string; message?: string } | undefined;
  if (cause?.code === 'channel-address') return cause.message!;
  return `no answer: ${cause?.code ?? cause?.message ?? error.message}`;
}
