import { type ChannelClock, type ChannelSecrets, ChannelUnauthorizedError } from 'onhand/channel-api';
import type { AuthOptions } from './shopify.options';

/** As Shopify's token endpoint answers. */
export interface TokenAnswer {
  access_token: string;
  /** Seconds. */
  expires_in?: number;
  refresh_token?: string;
}

/** Asks the token endpoint. Throws `ChannelUnauthorizedError` where it refuses. */
export type RequestToken = (body: Record<string, string>) => Promise<TokenAnswer>;

interface KnownToken {
  accessToken: string;
  /** In ms. */
  renewAt: number;
  refreshToken?: string;
}

/** A token is renewed this long before it ends, or a tenth of its life: a call that was sent with it may take its time. */
const RENEW_BEFORE_MS = 5 * 60_000;
const DEFAULT_LIFE_SECONDS = 3_600;
/** Where the newest tokens are kept, for all hosts. */
const KEPT_AS = 'tokens';

/**
 * The access token, renewed in time. Callers that come while it is being renewed wait for that one renewal.
 * @see https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
 * @see https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens
 */
export class Tokens {
  private known: KnownToken | undefined;
  private renewing: Promise<KnownToken> | undefined;
  private refusedToken: string | undefined;

  constructor(
    private readonly auth: AuthOptions,
    private readonly request: RequestToken,
    private readonly clock: ChannelClock,
    private readonly secrets: ChannelSecrets,
  ) {}

  /** Throws `ChannelUnauthorizedError`, and what `ChannelHttp` and `ChannelSecrets` throw. */
  async current(): Promise<string> {
    if (this.auth.kind === 'token') return this.auth.token as string;
    if (this.known && !this.isEnding(this.known)) return this.known.accessToken;
    this.renewing ??= this.renew().finally(() => (this.renewing = undefined));
    return (await this.renewing).accessToken;
  }

  /** The shop refused this token. True where another one can be had. */
  refused(token: string): boolean {
    if (this.auth.kind === 'token') return false;
    this.refusedToken = token;
    if (this.known?.accessToken === token) this.known = undefined;
    return true;
  }

  private isEnding({ renewAt, accessToken }: KnownToken): boolean {
    return accessToken === this.refusedToken || this.clock.now().getTime() >= renewAt;
  }

  private async renew(): Promise<KnownToken> {
    this.known =
      this.auth.kind === 'client-credentials'
        ? this.knownFrom(await this.grant({ grant_type: 'client_credentials' }))
        : await this.refresh();
    return this.known;
  }

  /**
   * Another host may have renewed it by now: what is kept comes first. A refresh token that was used is taken again
   * until its successor is, so that two hosts at once, or an answer that got lost, end with a token each. Of two that
   * renewed at once the one that kept its tokens first counts.
   */
  private async refresh(): Promise<KnownToken> {
    const text = await this.secrets.get(KEPT_AS);
    const kept = readKept(text);
    if (kept && !this.isEnding(kept)) return kept;
    const candidates = [kept?.refreshToken, this.auth.refreshToken].filter((token) => token !== undefined);
    let refusal: unknown;
    for (const refresh_token of new Set(candidates)) {
      try {
        const answer = await this.grant({ grant_type: 'refresh_token', refresh_token });
        const renewed = { refreshToken: refresh_token, ...this.knownFrom(answer) };
        if (await this.secrets.compareAndSet(KEPT_AS, text, JSON.stringify(renewed))) return renewed;
        return readKept(await this.secrets.get(KEPT_AS)) ?? renewed;
      } catch (error) {
        if (!(error instanceof ChannelUnauthorizedError)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  private grant(body: Record<string, string>): Promise<TokenAnswer> {
    const { clientId, clientSecret } = this.auth;
    return this.request({ client_id: clientId as string, client_secret: clientSecret as string, ...body });
  }

  private knownFrom({
    access_token,
    expires_in = DEFAULT_LIFE_SECONDS,
    refresh_token,
  }: TokenAnswer): KnownToken {
    const lifeMs = expires_in * 1000;
    return {
      accessToken: access_token,
      renewAt: this.clock.now().getTime() + lifeMs - Math.min(RENEW_BEFORE_MS, lifeMs / 10),
      ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
    };
  }
}

function readKept(text: string | undefined): KnownToken | undefined {
  if (text === undefined) return undefined;
  const kept = JSON.parse(text) as Partial<KnownToken>;
  const isWhole = typeof kept.accessToken === 'string' && typeof kept.renewAt === 'number';
  return isWhole ? (kept as KnownToken) : undefined;
}
