import {
  ChannelProtocolError,
  ChannelRequestError,
  ChannelUnauthorizedError,
  type ChannelHost,
  type ChannelHttpRequest,
  type ChannelHttpResponse,
  type KeyedLimit,
} from 'onhand/channel-api';
import { EbayConsent } from './ebay.consent';
import { wordsOf } from './ebay.errors';
import { partOf, textIn } from './ebay.fields';
import { limitsOf } from './ebay.limits';
import type { EbayOptions } from './ebay.options';
import { type SigningKey, signatureHeaders, signingKeyOf } from './ebay.signature';
import { keptSigningKey, type MadeKey } from './ebay.signing-key';
import { EbayTokens, type TokenKind } from './ebay.tokens';

export interface EbayCall {
  method: ChannelHttpRequest['method'];
  /** From the root, without the query; ids in it encoded. */
  path: string;
  query?: Record<string, string>;
  json?: unknown;
  /** The seller's token unless told. */
  token?: TokenKind;
  /** Key Management is not where the other APIs are. */
  at?: 'api' | 'apiz';
  /** Signed where the options say that this seller has to. */
  isSigned?: boolean;
  /** Beside those of the API. */
  limits?: readonly KeyedLimit[];
  /** What a 5xx says that is an answer and no outage. */
  answers?: ChannelHttpRequest['answers'];
  /** A 403 is answered, for it is about the thing asked for and not about the credentials. */
  answersForbidden?: boolean;
}

const HOSTS = {
  production: { api: 'https://api.ebay.com', apiz: 'https://apiz.ebay.com' },
  sandbox: { api: 'https://api.sandbox.ebay.com', apiz: 'https://apiz.sandbox.ebay.com' },
};

/** The plugin's only way to eBay: addresses, tokens, signatures, limits, and what a status means for every call. */
export class EbayClient {
  private readonly hosts: { api: string; apiz: string };
  /** There where the seller consents by way of the host. */
  readonly consent: EbayConsent | undefined;
  private readonly tokens: EbayTokens;
  private signingKey: Promise<SigningKey> | undefined;

  constructor(
    private readonly options: EbayOptions,
    private readonly host: ChannelHost,
  ) {
    const { api, apiz, auth } = options.endpoints;
    const own = HOSTS[options.environment];
    this.hosts = { api: bare(api ?? own.api), apiz: bare(apiz ?? own.apiz) };
    this.tokens = new EbayTokens(options, bare(auth ?? this.hosts.api), host);
    const { ruName } = options;
    if (ruName !== undefined)
      this.consent = new EbayConsent({ ...options, ruName }, host, this.tokens.exchange);
  }

  /**
   * Answers any status but 401 and 403; what the others mean is the caller's to know. Throws
   * `ChannelUnauthorizedError`, and what `ChannelHttp` throws.
   */
  async send(call: EbayCall): Promise<ChannelHttpResponse> {
    const kind = call.token ?? 'user';
    const token = await this.tokens.token(kind);
    const response = await this.sendWith(call, token);
    if (response.status !== 401) return this.judged(call, response);
    // Ended before its time: eBay did nothing of the call, and a new token may do.
    this.tokens.forget(kind, token);
    return this.judged(call, await this.sendWith(call, await this.tokens.token(kind)));
  }

  /** The parsed answer of a call that has to succeed. Throws also `ChannelRequestError` (404) and `ChannelProtocolError`. */
  async read(call: EbayCall): Promise<Record<string, unknown>> {
    const response = await this.send(call);
    if (response.status === 404)
      throw new ChannelRequestError(
        `${call.method} ${call.path} answered 404; check environment and endpoints`,
      );
    if (response.status !== 200)
      throw new ChannelProtocolError(
        `${call.method} ${call.path} was not answered 200, but ${wordsOf(response)}`,
      );
    return partOf(response.json());
  }

  /** Proves the key that calls are signed with; it is made where the options have none. */
  key(): Promise<SigningKey> {
    const { privateKey, jwe } = this.options.digitalSignature;
    this.signingKey ??=
      privateKey !== undefined && jwe !== undefined
        ? Promise.resolve().then(() => signingKeyOf(privateKey, jwe))
        : keptSigningKey(this.host, () => this.createKey());
    // What failed once is tried again with the next call.
    this.signingKey.catch(() => (this.signingKey = undefined));
    return this.signingKey;
  }

  private async sendWith(call: EbayCall, token: string): Promise<ChannelHttpResponse> {
    const query = new URLSearchParams(call.query).toString();
    const url = `${this.hosts[call.at ?? 'api']}${call.path}${query === '' ? '' : `?${query}`}`;
    const body = call.json === undefined ? undefined : JSON.stringify(call.json);
    const scheme = call.path.startsWith('/post-order/') ? 'IAF' : 'Bearer';
    return this.host.http.request({
      method: call.method,
      url,
      headers: {
        authorization: `${scheme} ${token}`,
        'x-ebay-c-marketplace-id': this.options.marketplaceId,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(await this.signature(call, url, body)),
      },
      limit: [...limitsOf(call.path), ...(call.limits ?? [])],
      timeoutMs: this.options.timeoutMs,
      ...(body !== undefined && { body }),
      ...(call.answers && { answers: call.answers }),
    });
  }

  private async signature(
    { method, isSigned }: EbayCall,
    url: string,
    body: string | undefined,
  ): Promise<Record<string, string>> {
    if (!isSigned || !this.options.digitalSignature.enabled) return {};
    const createdSeconds = Math.floor(this.host.clock.now().getTime() / 1000);
    const call = { method, url, ...(body !== undefined && { body }) };
    return signatureHeaders(call, await this.key(), createdSeconds);
  }

  private async createKey(): Promise<MadeKey> {
    const response = await this.send({
      method: 'POST',
      path: '/developer/key_management/v1/signing_key',
      json: { signingKeyCipher: 'ED25519' },
      token: 'application',
      at: 'apiz',
    });
    const body = partOf(response.json());
    const [privateKey, jwe] = [textIn(body.privateKey), textIn(body.jwe)];
    if (response.status > 201 || privateKey === undefined || jwe === undefined)
      throw new ChannelProtocolError(`createSigningKey gave no key, but ${wordsOf(response)}`);
    const expirationTime = Number(body.expirationTime);
    return { privateKey, jwe, ...(expirationTime > 0 && { expirationTime }) };
  }

  private judged(call: EbayCall, response: ChannelHttpResponse): ChannelHttpResponse {
    const isRefused = response.status === 401 || (response.status === 403 && !call.answersForbidden);
    if (!isRefused) return response;
    throw new ChannelUnauthorizedError(
      `${call.method} ${call.path} answered ${response.status}: eBay refuses the token; check that the seller consented to the scope that the call needs`,
    );
  }
}

/** An id as it can stand in a path: "." and ".." would lead elsewhere. Undefined where it cannot. */
export function segmentOf(id: string): string | undefined {
  if (id === '' || id === '.' || id === '..') return undefined;
  try {
    return encodeURIComponent(id);
  } catch {
    return undefined;
  }
}

function bare(url: string): string {
  return url.replace(/\/+$/, '');
}
