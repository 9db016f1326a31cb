import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { SimulatedReply, SimulatedRequest } from 'onhand/channel-api';

export interface AccessSettings {
  /** A token that never ends, as apps made in the admin have; absent where tokens are granted. */
  token: string | undefined;
  clientId: string;
  clientSecret: string;
  /** Of the first refresh; each of them gives a new one. */
  refreshToken: string;
  /** How long a token that was granted is good for; Shopify gives a day, or an hour with a refresh token. */
  tokenLifeMs: number;
  shop: string;
  scopes: readonly string[];
}

/**
 * Who may call: a token for ever, or one granted by client credentials or a refresh token
 * (shopify.dev/docs/apps/build/authentication-authorization/access-tokens).
 */
export class Access {
  private readonly endsAt = new Map<string, number>();
  private refreshToken: string;
  private isRevoked = false;

  constructor(private readonly settings: AccessSettings) {
    this.refreshToken = settings.refreshToken;
  }

  /** Whether the call's token is good; every token granted so far is, until it ends. */
  isAllowed({ headers }: SimulatedRequest): boolean {
    const given = headers['x-shopify-access-token'] ?? '';
    const { token } = this.settings;
    if (this.isRevoked) return false;
    return (token !== undefined && sameText(given, token)) || (this.endsAt.get(given) ?? 0) > Date.now();
  }

  /** Ends everything, as an uninstalled app's access ends. */
  revoke(): void {
    this.isRevoked = true;
  }

  grant(request: SimulatedRequest): SimulatedReply {
    const given = fieldsOf(request);
    const { clientId, clientSecret } = this.settings;
    if (!sameText(given.client_id ?? '', clientId) || !sameText(given.client_secret ?? '', clientSecret))
      return {
        status: 401,
        body: { error: 'invalid_client', error_description: 'Client authentication failed.' },
      };
    if (given.grant_type === 'client_credentials') return this.granted({});
    if (given.grant_type !== 'refresh_token')
      return { status: 400, body: { error: 'unsupported_grant_type' } };
    if (!sameText(given.refresh_token ?? '', this.refreshToken))
      return {
        status: 400,
        body: { error: 'invalid_grant', error_description: 'The refresh token is not valid.' },
      };
    this.refreshToken = `shprt_${randomBytes(16).toString('hex')}`;
    return this.granted({
      refresh_token: this.refreshToken,
      refresh_token_expires_in: 7_776_000,
    });
  }

  private granted(more: object): SimulatedReply {
    const { tokenLifeMs, scopes } = this.settings;
    const token = `shpat_${randomBytes(16).toString('hex')}`;
    this.endsAt.set(token, Date.now() + tokenLifeMs);
    const expiresIn = Math.ceil(tokenLifeMs / 1000);
    return {
      status: 200,
      body: { access_token: token, scope: scopes.join(','), expires_in: expiresIn, ...more },
    };
  }
}

/** Shopify takes forms and JSON. */
function fieldsOf({ headers, body }: SimulatedRequest): Record<string, string | undefined> {
  const text = body.toString('utf8');
  if (!headers['content-type']?.includes('json')) return Object.fromEntries(new URLSearchParams(text));
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, string>) : {};
  } catch {
    return {};
  }
}

function sameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
