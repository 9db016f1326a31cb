import {
  ChannelProtocolError,
  ChannelUnauthorizedError,
  type ChannelClock,
  type ChannelHttp,
  type ChannelHttpResponse,
} from 'onhand/channel-api';
import { partOf, textIn } from './ebay.fields';
import type { EbayOptions } from './ebay.options';

/** `user`: the seller's, by the refresh token. `application`: ours, for what concerns no seller. */
export type TokenKind = 'user' | 'application';

interface HeldToken {
  value: string;
  /** When it is asked for anew, in ms. */
  renewAt: number;
}

const APPLICATION_SCOPE = 'https://api.ebay.com/oauth/api_scope';
const LONGEST_MARGIN_SECONDS = 300;

/**
 * Access tokens, kept until shortly before they end: eBay gives out 1,000 application tokens and 50,000 user
 * tokens a day (https://developer.ebay.com/api-docs/static/oauth-rate-limits.html).
 */
export class EbayTokens {
  private readonly held = new Map<TokenKind, HeldToken>();
  private readonly pending = new Map<TokenKind, Promise<string>>();

  constructor(
    private readonly options: EbayOptions,
    private readonly baseUrl: string,
    private readonly host: { http: ChannelHttp; clock: ChannelClock },
  ) {}

  /** Calls that need one at the same time ask for one. Throws `ChannelUnauthorizedError`, and what `ChannelHttp` throws. */
  async token(kind: TokenKind): Promise<string> {
    const held = this.held.get(kind);
    if (held && held.renewAt > this.now()) return held.value;
    const pending = this.pending.get(kind);
    if (pending) return pending;
    const asked = this.ask(kind).finally(() => this.pending.delete(kind));
    this.pending.set(kind, asked);
    return asked;
  }

  /** eBay refused it before its time. */
  forget(kind: TokenKind, value: string): void {
    if (this.held.get(kind)?.value === value) this.held.delete(kind);
  }

  private async ask(kind: TokenKind): Promise<string> {
    const { clientId, clientSecret, refreshToken, scopes, timeoutMs } = this.options;
    const form: Record<string, string> =
      kind === 'user'
        ? { grant_type: 'refresh_token', refresh_token: refreshToken, scope: scopes.join(' ') }
        : { grant_type: 'client_credentials', scope: APPLICATION_SCOPE };
    const response = await this.host.http.request({
      method: 'POST',
      url: `${this.baseUrl}/identity/v1/oauth2/token`,
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(form).toString(),
      limit: ['calls', kind === 'user' ? 'refreshTokens' : 'applicationTokens'],
      timeoutMs,
    });
    const body = partOf(response.json());
    if (response.status !== 200) throw refusal(kind, response, textIn(body.error));
    const value = textIn(body.access_token);
    const seconds = Number(body.expires_in);
    if (value === undefined || !(seconds > 0))
      throw new ChannelProtocolError('the token endpoint answered 200 without access_token and expires_in');
    const margin = Math.min(LONGEST_MARGIN_SECONDS, seconds / 10);
    this.held.set(kind, { value, renewAt: this.now() + (seconds - margin) * 1000 });
    return value;
  }

  private now(): number {
    return this.host.clock.now().getTime();
  }
}

/** The code of RFC 6749 alone: its description may quote what was sent. */
function refusal(kind: TokenKind, { status }: ChannelHttpResponse, error = ''): Error {
  const advice: Record<string, string> = {
    invalid_client: 'check clientId and clientSecret, and that they are of the same environment',
    invalid_grant:
      'the refresh token is not valid (any more: it lives about 18 months); have the seller consent again',
    invalid_scope: 'the seller has not consented to all of `scopes`; have them consent again, or name fewer',
  };
  return new ChannelUnauthorizedError(
    `eBay gives no ${kind} token (${status} ${/^[a-z_]{1,40}$/.test(error) ? error : ''}): ${advice[error] ?? 'check the credentials'}`,
  );
}
