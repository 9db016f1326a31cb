import {
  ChannelProtocolError,
  ChannelUnauthorizedError,
  type ChannelClock,
  type ChannelHttp,
} from 'onhand/channel-api';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';

/** What is asked in the application's own name: setting up where notifications go belongs to no seller. */
export const NOTIFICATIONS_SCOPE = 'sellingpartnerapi::notifications';

/** In the seller's name, or grantless with a scope. */
export type Grant = 'seller' | typeof NOTIFICATIONS_SCOPE;

interface Token {
  value: string;
  /** Ms, when it is not used any more. */
  staleAt: number;
}

const LWA = 'https://api.amazon.com/auth/o2/token';
/** A token is not used any more so long before it ends: a call may wait for its turn and then travel. */
const MARGIN_MS = 120_000;

/**
 * Access tokens of Login with Amazon, one for each grant, shared by all calls and asked for once even where many
 * calls want it together (developer-docs.amazon.com/sp-api/docs/connecting-to-the-selling-partner-api).
 */
export class LwaTokens {
  private readonly tokens = new Map<Grant, Promise<Token>>();

  constructor(
    private readonly options: AmazonSpApiOptions,
    private readonly http: ChannelHttp,
    private readonly clock: ChannelClock,
  ) {}

  /** Throws `ChannelUnauthorizedError` where Amazon refuses the credentials, and what `ChannelHttp` throws. */
  async get(grant: Grant): Promise<string> {
    const known = this.tokens.get(grant);
    if (known) {
      const token = await known;
      if (token.staleAt > this.now()) return token.value;
      // Another call may have asked for a new one while this one waited.
      if (this.tokens.get(grant) === known) this.tokens.delete(grant);
      return this.get(grant);
    }
    const asked = this.ask(grant);
    this.tokens.set(grant, asked);
    asked.catch(() => this.tokens.get(grant) === asked && this.tokens.delete(grant));
    return (await asked).value;
  }

  /** After Amazon refused it: the next call asks for a new one. */
  forget(grant: Grant): void {
    this.tokens.delete(grant);
  }

  private now(): number {
    return this.clock.now().getTime();
  }

  private async ask(grant: Grant): Promise<Token> {
    const { clientId, clientSecret, refreshToken, lwaEndpoint } = this.options;
    const asked: Record<string, string> =
      grant === 'seller'
        ? { grant_type: 'refresh_token', refresh_token: refreshToken }
        : { grant_type: 'client_credentials', scope: grant };
    const askedAt = this.now();
    const response = await this.http.request({
      method: 'POST',
      url: lwaEndpoint ?? LWA,
      headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
      body: new URLSearchParams({ ...asked, client_id: clientId, client_secret: clientSecret }).toString(),
      limit: 'lwa',
    });
    const answer = response.json<{ access_token?: unknown; expires_in?: unknown; error?: unknown }>();
    if (response.status === 400 || response.status === 401) throw refusedBy(answer.error);
    const { access_token: value, expires_in: seconds } = answer;
    if (response.status !== 200 || typeof value !== 'string' || typeof seconds !== 'number') {
      throw new ChannelProtocolError(`Login with Amazon answered ${response.status} without an access token`);
    }
    return { value, staleAt: askedAt + seconds * 1000 - Math.min(MARGIN_MS, seconds * 500) };
  }
}

function refusedBy(error: unknown): ChannelUnauthorizedError {
  const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : 'no reason given';
  const advice =
    code === 'invalid_grant'
      ? 'the refresh token is not (or no longer) the one of this application; authorise it again'
      : 'check clientId and clientSecret; a secret ends 180 days after it was made';
  return new ChannelUnauthorizedError(`Login with Amazon refuses the credentials (${code}): ${advice}`);
}
