import {
  ChannelProtocolError,
  ChannelUnauthorizedError,
  type ChannelHost,
  type ChannelHttpResponse,
} from 'onhand/channel-api';
import { type ExchangeCode, readConsent } from './ebay.consent';
import { partOf, textIn } from './ebay.fields';
import type { EbayOptions } from './ebay.options';

/** `user`: the seller's, by their consent. `application`: ours, for what concerns no seller. */
export type TokenKind = 'user' | 'application';

interface HeldToken {
  value: string;
  /** When it is asked for anew, in ms. */
  renewAt: number;
}

const APPLICATION_SCOPE = 'https://api.ebay.com/oauth/api_scope';
const LONGEST_MARGIN_SECONDS = 300;
const DAY_MS = 86_400_000;
/** The seller has to consent again by then, by hand. */
export const CONSENT_WARNING_DAYS = 30;

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
    private readonly host: ChannelHost,
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

  /** Exchanges the code of a consent; the access token that comes with it is used at once. */
  readonly exchange: ExchangeCode = async (code, ruName) => {
    const form = { grant_type: 'authorization_code', code, redirect_uri: ruName };
    const body = await this.grant('user', form);
    const refreshToken = textIn(body.refresh_token);
    const lifeSeconds = Number(body.refresh_token_expires_in);
    if (refreshToken === undefined || !(lifeSeconds > 0))
      throw new ChannelProtocolError(
        'the token endpoint answered 200 without refresh_token and refresh_token_expires_in',
      );
    return { refreshToken, lifeSeconds };
  };

  private async ask(kind: TokenKind): Promise<string> {
    if (kind === 'application')
      await this.grant(kind, { grant_type: 'client_credentials', scope: APPLICATION_SCOPE });
    else await this.refresh();
    return this.held.get(kind)!.value;
  }

  /** By what the newest consent gave; where eBay does not take that, by what the options have. */
  private async refresh(): Promise<void> {
    const { refreshToken, ruName, scopes } = this.options;
    const kept = ruName === undefined ? {} : (await readConsent(this.host)).consent;
    this.warnOfEnd(kept.endsAt);
    const candidates = new Set([kept.refreshToken, refreshToken].filter((token) => token !== undefined));
    let refusal: unknown = new ChannelUnauthorizedError(
      `the seller has not consented yet: run "onhand authorize ${this.host.channel}"`,
    );
    for (const refresh_token of candidates) {
      try {
        await this.grant('user', { grant_type: 'refresh_token', refresh_token, scope: scopes.join(' ') });
        return;
      } catch (error) {
        if (!(error instanceof ChannelUnauthorizedError)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  private async grant(kind: TokenKind, form: Record<string, string>): Promise<Record<string, unknown>> {
    const { clientId, clientSecret, timeoutMs } = this.options;
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
    if (response.status !== 200) throw refusal(form.grant_type!, response, textIn(body.error));
    const value = textIn(body.access_token);
    const seconds = Number(body.expires_in);
    if (value === undefined || !(seconds > 0))
      throw new ChannelProtocolError('the token endpoint answered 200 without access_token and expires_in');
    const margin = Math.min(LONGEST_MARGIN_SECONDS, seconds / 10);
    this.held.set(kind, { value, renewAt: this.now() + (seconds - margin) * 1000 });
    return body;
  }

  private warnOfEnd(endsAt: number | undefined): void {
    const days = endsAt === undefined ? Infinity : Math.floor((endsAt - this.now()) / DAY_MS);
    if (days < CONSENT_WARNING_DAYS)
      this.host.log.warn(
        `the seller's consent ends in ${Math.max(days, 0)} days; run "onhand authorize ${this.host.channel}"`,
      );
  }

  private now(): number {
    return this.host.clock.now().getTime();
  }
}

const NO_TOKEN: Readonly<Record<string, string>> = {
  refresh_token: 'user token',
  authorization_code: 'token for the code',
  client_credentials: 'application token',
};

/** The code of RFC 6749 alone: its description may quote what was sent. */
function refusal(grant: string, { status }: ChannelHttpResponse, error = ''): Error {
  const advice: Record<string, string> = {
    invalid_client: 'check clientId and clientSecret, and that they are of the same environment',
    invalid_grant:
      grant === 'authorization_code'
        ? 'the code was used before, is older than five minutes, or is of another RuName; have the seller consent again'
        : 'the refresh token is not valid (any more: it lives about 18 months); have the seller consent again',
    invalid_scope: 'the seller has not consented to all of `scopes`; have them consent again, or name fewer',
    invalid_request: 'check ruName, and that it is of the same environment',
  };
  return new ChannelUnauthorizedError(
    `eBay gives no ${NO_TOKEN[grant]} (${status} ${/^[a-z_]{1,40}$/.test(error) ? error : ''}): ${advice[error] ?? 'check the credentials'}`,
  );
}
