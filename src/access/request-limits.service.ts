import { isIPv6 } from 'node:net';
import { Injectable } from '@nestjs/common';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { Config } from '../config/config';
import { TooManyRequests } from '../http/too-many-requests';

const WINDOW_SECONDS = 10;
const FAILURE_SECONDS = 60;

/**
 * How often callers call, counted in this process alone: what is to be kept from one of them is this host's time, and
 * counting over all hosts would cost each request a way to the database. Webhooks are not counted: their senders share
 * addresses, and one that is refused would come again and again.
 */
@Injectable()
export class RequestLimits {
  private readonly calls: RateLimiterMemory | undefined;
  private readonly failures: RateLimiterMemory | undefined;
  /** Until when (ms) an address has to wait. */
  private readonly waiting = new Map<string, number>();

  constructor({ access: { requestsPerSecond, failuresPerMinute } }: Config) {
    if (requestsPerSecond > 0)
      this.calls = new RateLimiterMemory({
        points: requestsPerSecond * WINDOW_SECONDS,
        duration: WINDOW_SECONDS,
        keyPrefix: '',
      });
    if (failuresPerMinute > 0)
      this.failures = new RateLimiterMemory({
        points: failuresPerMinute,
        duration: FAILURE_SECONDS,
        keyPrefix: '',
      });
  }

  /** Throws `TooManyRequests` where the caller (a key's id, or an address before it is known) has called too often. */
  async count(caller: string): Promise<void> {
    try {
      await this.calls?.consume(caller);
    } catch (refused) {
      const { msBeforeNext } = refused as RateLimiterRes;
      throw new TooManyRequests(
        `this host takes ${this.calls!.points} requests in ${WINDOW_SECONDS} seconds of one caller (access.requestsPerSecond)`,
        { limit: this.calls!.points, windowSeconds: WINDOW_SECONDS, waitMs: msBeforeNext },
      );
    }
  }

  /** Whether too many wrong keys came from there; whatever it sends now is not looked at. */
  isWaiting(address: string): boolean {
    if (this.waiting.size === 0) return false;
    const until = this.waiting.get(networkOf(address));
    return until !== undefined && until > Date.now();
  }

  /** Throws `TooManyRequests`, for an address that has to wait. */
  refuse(address: string): never {
    const until = this.waiting.get(networkOf(address)) ?? 0;
    throw new TooManyRequests(
      'too many wrong API keys came from this address; wait, and then send the right one',
      {
        limit: this.failures!.points,
        windowSeconds: FAILURE_SECONDS,
        waitMs: Math.max(until - Date.now(), 1),
      },
    );
  }

  /** A wrong key came from there. */
  async failed(address: string): Promise<void> {
    const network = networkOf(address);
    const taken = await this.failures?.consume(network).catch((refused: RateLimiterRes) => refused);
    if (!taken || taken.remainingPoints > 0) return;
    const now = Date.now();
    for (const [each, until] of this.waiting) if (until <= now) this.waiting.delete(each);
    this.waiting.set(network, now + taken.msBeforeNext);
  }
}

/** One machine has a whole /64 of IPv6 to call from. An IPv4 address may come written as an IPv6 one. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const rest = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : 8 - groups.length - rest.length;
  const all = [...groups, ...Array<string>(Math.max(zeros, 0)).fill('0'), ...rest];
  return all
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
