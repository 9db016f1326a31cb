import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { SimulatedReply } from 'onhand/channel-api';
import type { ScaledTime } from './scaled-time';

/** What an application has from Amazon, and from the selling partner who authorised it. */
export interface LwaCredentials {
  clientId: string;
  clientSecret: string;
  refreshToken: string;
}

/** What a token opens: a selling partner's data, or what belongs to the application alone. */
export type TokenKind = 'seller' | 'notifications' | 'rotation';

const LIVES_SECONDS = 3_600;
const SCOPES: Readonly<Record<string, TokenKind>> = {
  'sellingpartnerapi::notifications': 'notifications',
  'sellingpartnerapi::client_credential:rotation': 'rotation',
};

/**
 * Login with Amazon, as far as the Selling Partner API needs it.
 * https://developer-docs.amazon.com/sp-api/docs/connect-to-the-selling-partner-api
 */
export class TokenDesk {
  /** Tokens given out so far, which a client that caches and shares them keeps few. */
  issued = 0;
  private readonly tokens = new Map<string, { kind: TokenKind; endsAt: number }>();

  constructor(
    private readonly time: ScaledTime,
    private readonly credentials: LwaCredentials,
  ) {}

  /** Answers `POST /auth/o2/token`, whose body is a form. */
  answer(body: Buffer): SimulatedReply {
    const form = new URLSearchParams(body.toString('utf8'));
    const { clientId, clientSecret, refreshToken } = this.credentials;
    if (!same(form.get('client_id'), clientId) || !same(form.get('client_secret'), clientSecret)) {
      return refusal(401, 'invalid_client', 'Client authentication failed');
    }
    switch (form.get('grant_type')) {
      case 'refresh_token':
        if (!same(form.get('refresh_token'), refreshToken)) {
          return refusal(400, 'invalid_grant', 'The request has an invalid grant parameter : refresh_token');
        }
        return this.issue('seller', { refresh_token: refreshToken });
      case 'client_credentials': {
        const kind = SCOPES[form.get('scope') ?? ''];
        if (!kind) return refusal(400, 'invalid_scope', 'The request has an unknown scope');
        return this.issue(kind, {});
      }
      default:
        return refusal(400, 'unsupported_grant_type', 'The grant type is not supported');
    }
  }

  /** Undefined for a token that is unknown or has expired. */
  kindOf(token: string | undefined): TokenKind | undefined {
    const found = token === undefined ? undefined : this.tokens.get(token);
    return found && found.endsAt > Date.now() ? found.kind : undefined;
  }

  /** As when the selling partner's authorisation is renewed: every token stops working before its time. */
  expireAll(): void {
    this.tokens.clear();
  }

  private issue(kind: TokenKind, others: object): SimulatedReply {
    const token = `Atza|${randomBytes(24).toString('base64url')}`;
    const livesMs = this.time.ms(LIVES_SECONDS);
    this.tokens.set(token, { kind, endsAt: Date.now() + livesMs });
    this.issued += 1;
    const expires_in = Math.max(1, Math.floor(livesMs / 1000));
    return { status: 200, body: { access_token: token, token_type: 'bearer', expires_in, ...others } };
  }
}

function refusal(status: number, error: string, description: string): SimulatedReply {
  return { status, body: { error, error_description: description } };
}

function same(given: string | null, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
