import { randomBytes } from 'node:crypto';
import type { SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import { EbayRefusal } from './refusal';
import type { ScaledTime } from './scaled-time';

/** Tokens that may be asked for in a day, by how they are asked for. */
export interface TokenQuotas {
  refresh: number;
  clientCredentials: number;
}

/** As eBay's page on OAuth rate limits has them. */
const QUOTAS: TokenQuotas = { refresh: 50_000, clientCredentials: 1_000 };
const LIFETIME_SECONDS = 7_200;
const REFRESH_LIFETIME_SECONDS = 47_304_000;
const CODE_SECONDS = 299;
export const API_SCOPE = 'https://api.ebay.com/oauth/api_scope';

interface IssuedToken {
  kind: 'user' | 'application';
  scopes: ReadonlySet<string>;
  expiresAt: number;
}

export interface Credentials {
  clientId: string;
  clientSecret: string;
  refreshToken: string;
  /** What the seller consented to. */
  scopes: readonly string[];
}

/** `/identity/v1/oauth2/token`: tokens for two hours of ours, however fast eBay's days go by. */
export class TokenDesk {
  /** Tokens given out, by how they were asked for, on each day. */
  readonly issued: { at: number; grant: string }[] = [];
  codesSentAgain = 0;
  /** How long a code is good for. */
  codeSeconds = CODE_SECONDS;
  private readonly tokens = new Map<string, IssuedToken>();
  private readonly codes = new Map<string, { redirectUri: string; endsAt: number; refreshToken?: string }>();
  private readonly refreshTokens: Set<string>;

  constructor(
    private readonly credentials: Credentials,
    private readonly time: ScaledTime,
    private readonly quotas: Partial<TokenQuotas> = {},
    private readonly lifetimeSeconds = LIFETIME_SECONDS,
  ) {
    this.refreshTokens = new Set([credentials.refreshToken]);
  }

  /** The seller opens a consent's address and agrees: answers the address that the browser is sent to then. */
  consent(address: string): string {
    const asked = new URL(address).searchParams;
    const [clientId, redirectUri, scope, state] = ['client_id', 'redirect_uri', 'scope', 'state'].map(
      (name) => asked.get(name),
    );
    const isKnown =
      clientId === this.credentials.clientId && redirectUri && asked.get('response_type') === 'code';
    const granted = [...this.credentials.scopes, API_SCOPE];
    if (!isKnown || (scope ?? '').split(' ').some((each) => !granted.includes(each)))
      throw new Error('eBay shows a page of errors instead of one to agree on');
    const code = `v^1.1#i^1#r^0#p^3#t^${randomBytes(24).toString('base64')}`;
    this.codes.set(code, { redirectUri, endsAt: Date.now() + this.codeSeconds * 1000 });
    const query = new URLSearchParams({
      ...(state && { state }),
      code,
      expires_in: String(this.codeSeconds),
    });
    return `https://signin.ebay.com/ws/eBayISAPI.dll?ThirdPartyAuthSucessFailure&isAuthSuccessful=true&${query.toString()}`;
  }

  /** Answers the token endpoint. Errors have the shape of RFC 6749, not that of eBay's APIs. */
  answer({ headers, body }: SimulatedRequest): SimulatedReply {
    const { clientId, clientSecret } = this.credentials;
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    if (headers.authorization !== basic)
      return oauthError(401, 'invalid_client', 'client authentication failed');
    const form = new URLSearchParams(body.toString('utf8'));
    const grant = form.get('grant_type') ?? '';
    switch (grant) {
      case 'refresh_token':
        if (!this.refreshTokens.has(form.get('refresh_token') ?? ''))
          return oauthError(
            400,
            'invalid_grant',
            'the provided authorization refresh token is invalid or was issued to another client',
          );
        return this.issue('user', grant, form.get('scope') ?? this.credentials.scopes.join(' '));
      case 'authorization_code':
        return this.exchange(form.get('code') ?? '', form.get('redirect_uri'));
      case 'client_credentials':
        return this.issue('application', grant, form.get('scope') ?? API_SCOPE);
      default:
        return oauthError(400, 'unsupported_grant_type', 'grant type in request is not supported');
    }
  }

  /**
   * Throws `EbayRefusal` unless the call carries a token of this kind: 401 where it has none that is valid, 403
   * where it is another kind of token, or lacks the scopes.
   */
  require(
    { headers }: SimulatedRequest,
    needed: { scheme: 'Bearer' | 'IAF'; kinds: readonly IssuedToken['kind'][]; scope?: string },
    nowMs: number,
  ): void {
    const [, scheme, value] = /^(\w+) (\S+)$/.exec(headers.authorization ?? '') ?? [];
    const token = scheme === needed.scheme ? this.tokens.get(value ?? '') : undefined;
    if (!token || token.expiresAt <= nowMs) throw new EbayRefusal(401, 1001, 'Invalid access token', 'OAuth');
    const isAllowed = needed.scope === undefined || token.scopes.has(needed.scope);
    if (!needed.kinds.includes(token.kind) || !isAllowed)
      throw new EbayRefusal(403, 1100, 'Access denied: insufficient permissions', 'ACCESS');
  }

  /** All tokens end now, before their time. */
  revoke(): void {
    this.tokens.clear();
  }

  /** Once and in time; what a code gave is taken back when it is sent again, as RFC 6749 4.1.2 would have it. */
  private exchange(code: string, redirectUri: string | null): SimulatedReply {
    const known = this.codes.get(code);
    if (known?.refreshToken !== undefined) {
      this.codesSentAgain++;
      this.refreshTokens.delete(known.refreshToken);
    }
    if (
      !known ||
      known.refreshToken !== undefined ||
      known.endsAt <= Date.now() ||
      known.redirectUri !== redirectUri
    )
      return oauthError(
        400,
        'invalid_grant',
        'the provided authorization grant code is invalid or was issued to another client',
      );
    const reply = this.issue('user', 'authorization_code', this.credentials.scopes.join(' '));
    if (reply.status !== 200) return reply;
    known.refreshToken = `v^1.1#i^1#r^1#${randomBytes(32).toString('base64url')}`;
    this.refreshTokens.add(known.refreshToken);
    const consented = {
      refresh_token: known.refreshToken,
      refresh_token_expires_in: REFRESH_LIFETIME_SECONDS,
    };
    return { ...reply, body: { ...(reply.body as object), ...consented } };
  }

  private issue(kind: IssuedToken['kind'], grant: string, scope: string): SimulatedReply {
    const now = Date.now();
    const today = this.issued.filter(
      (each) => each.grant === grant && this.time.dayOf(each.at) === this.time.dayOf(now),
    );
    const quota = { ...QUOTAS, ...this.quotas }[
      grant === 'client_credentials' ? 'clientCredentials' : 'refresh'
    ];
    if (today.length >= quota)
      return oauthError(429, 'temporarily_unavailable', 'daily token quota exceeded');
    const scopes = new Set(scope.split(' ').filter((each) => each !== ''));
    const granted = kind === 'application' ? [API_SCOPE] : [...this.credentials.scopes, API_SCOPE];
    if ([...scopes].some((each) => !granted.includes(each)))
      return oauthError(400, 'invalid_scope', 'the requested scope exceeds what was granted');
    const token = `v^1.1#i^1#${kind}#${randomBytes(24).toString('base64url')}`;
    this.issued.push({ at: now, grant });
    this.tokens.set(token, { kind, scopes, expiresAt: now + this.lifetimeSeconds * 1000 });
    return {
      status: 200,
      body: {
        access_token: token,
        expires_in: this.lifetimeSeconds,
        token_type: kind === 'user' ? 'User Access Token' : 'Application Access Token',
      },
    };
  }
}

function oauthError(status: number, error: string, description: string): SimulatedReply {
  return { status, body: { error, error_description: description } };
}
