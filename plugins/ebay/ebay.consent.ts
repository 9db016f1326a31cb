import { createHash } from 'node:crypto';
import {
  type AuthorizationStanding,
  type ChannelAuthorization,
  type ChannelHost,
  ChannelRequestError,
  ChannelUnauthorizedError,
  isHeldBack,
} from 'onhand/channel-api';
import type { EbayOptions } from './ebay.options';

/** What eBay gives for a code. */
export interface ConsentGrant {
  refreshToken: string;
  /** About 18 months. */
  lifeSeconds: number;
}

/** Sends a code to eBay. Throws `ChannelUnauthorizedError` where eBay refuses it, and what `ChannelHttp` throws. */
export type ExchangeCode = (code: string, ruName: string) => Promise<ConsentGrant>;

/** What is kept of the consent. */
interface KeptConsent {
  refreshToken?: string;
  /** In ms. */
  endsAt?: number;
  /** The code that came last. It is not kept itself: what is of no use any more need not lie around. */
  code?: { hash: string; state: 'begun' | 'done' | 'refused' };
}

const KEPT_AS = 'consent';
const CONSENT_URL = {
  production: 'https://auth.ebay.com/oauth2/authorize',
  sandbox: 'https://auth.sandbox.ebay.com/oauth2/authorize',
};
const ATTEMPTS_TO_KEEP = 5;
const RETRY_KEEPING_MS = 500;

/**
 * The seller's consent. A code is good for five minutes and once, and a server may take back all tokens of one that is
 * sent twice: so that it is going to be sent is kept before it is, and whoever finds that sends nothing.
 * @see https://developer.ebay.com/api-docs/static/oauth-authorization-code-grant.html
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
 */
export class EbayConsent implements ChannelAuthorization {
  constructor(
    private readonly options: EbayOptions & { ruName: string },
    private readonly host: Pick<ChannelHost, 'clock' | 'secrets'>,
    private readonly exchange: ExchangeCode,
  ) {}

  consentUrl(state: string): string {
    const { environment, clientId, ruName, scopes } = this.options;
    const query = {
      client_id: clientId,
      redirect_uri: ruName,
      response_type: 'code',
      scope: scopes.join(' '),
      state,
      // Whoever opens it may be signed in at eBay as somebody else.
      prompt: 'login',
    };
    return `${CONSENT_URL[environment]}?${new URLSearchParams(query).toString().replaceAll('+', '%20')}`;
  }

  async standing(): Promise<AuthorizationStanding> {
    const { consent } = await readConsent(this.host);
    if (consent.refreshToken === undefined) return { isGiven: this.options.refreshToken !== undefined };
    return { isGiven: true, ...(consent.endsAt !== undefined && { endsAt: new Date(consent.endsAt) }) };
  }

  async accept(code: string): Promise<void> {
    const hash = createHash('sha256').update(code).digest('hex');
    const { text, consent } = await readConsent(this.host);
    if (consent.code?.hash === hash) return assertDone(consent.code.state);
    const begun = JSON.stringify({ ...consent, code: { hash, state: 'begun' } } satisfies KeptConsent);
    // Another host has kept something meanwhile; it may be this very code.
    if (!(await this.host.secrets.compareAndSet(KEPT_AS, text, begun))) return this.accept(code);
    let grant: ConsentGrant;
    try {
      grant = await this.exchange(code, this.options.ruName);
    } catch (error) {
      await this.keepFailure(error, { consent, hash, begun });
      throw error;
    }
    const { refreshToken, lifeSeconds } = grant;
    const endsAt = this.host.clock.now().getTime() + lifeSeconds * 1000;
    await this.keep(begun, { refreshToken, endsAt, code: { hash, state: 'done' } });
  }

  /** What is not sent may be sent later, what is refused never; of what is not answered neither is known. */
  private async keepFailure(
    error: unknown,
    { consent, hash, begun }: { consent: KeptConsent; hash: string; begun: string },
  ): Promise<void> {
    const { code } = error as { code?: string };
    if (isHeldBack({ code }) || code === 'channel-request' || code === 'channel-address')
      return this.keep(begun, consent);
    if (code === 'channel-unauthorized')
      await this.keep(begun, { ...consent, code: { hash, state: 'refused' } });
  }

  /** The only copy of the token is in this process until then: a database that is away for a moment is waited for. */
  private async keep(begun: string, consent: KeptConsent): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (await this.host.secrets.compareAndSet(KEPT_AS, begun, JSON.stringify(consent))) return;
        throw new ChannelRequestError('another code was handed in meanwhile, and counts instead of this one');
      } catch (error) {
        if (!isHeldBack(error as { code?: unknown }) || attempt === ATTEMPTS_TO_KEEP) throw error;
        await this.host.clock.sleep(RETRY_KEEPING_MS);
      }
    }
  }
}

/** What the newest consent gave, and until when it holds, in ms. */
export async function readConsent({
  secrets,
}: Pick<ChannelHost, 'secrets'>): Promise<{ text: string | undefined; consent: KeptConsent }> {
  const text = await secrets.get(KEPT_AS);
  return { text, consent: text === undefined ? {} : (JSON.parse(text) as KeptConsent) };
}

function assertDone(state: 'begun' | 'done' | 'refused'): void {
  if (state === 'done') return;
  throw new ChannelUnauthorizedError(
    state === 'refused'
      ? 'eBay has refused this code before: a code is good once, and for five minutes; have the seller consent again'
      : 'this code was sent to eBay, and what became of it is not known; if another host is not just done with it, have the seller consent again',
  );
}
