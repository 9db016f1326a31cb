import {
  ChannelProtocolError,
  ChannelRequestError,
  ChannelThrottledError,
  ChannelUnauthorizedError,
  ChannelUnavailableError,
  type ChannelHost,
  type ChannelHttpResponse,
} from 'onhand/channel-api';
import { DOCUMENTS, type DocumentName } from './shopify.documents';
import { QueryCosts, type Variables } from './shopify.limits';
import type { ShopifyOptions } from './shopify.options';
import { type TokenAnswer, Tokens } from './shopify.tokens';

/** Shopify will not run a query of this size; a smaller page may pass. */
export class QueryTooCostlyError extends ChannelRequestError {}

/** The API does not take a value of the variables, whatever row it is in. */
export class InvalidInputError extends ChannelRequestError {}

interface GraphqlError {
  message?: unknown;
  extensions?: { code?: unknown; requiredAccess?: unknown };
}

interface GraphqlAnswer {
  data?: unknown;
  errors?: GraphqlError[] | string;
  extensions?: {
    cost?: {
      requestedQueryCost?: number;
      actualQueryCost?: number | null;
      throttleStatus?: { maximumAvailable?: number; currentlyAvailable?: number; restoreRate?: number };
    };
  };
}

/** A user error of a mutation: what Shopify will not do, and why. */
export interface UserError {
  /** Absent where the payload has errors without a code. */
  code?: string | null;
  field: string[] | null;
  message: string;
}

/** The plugin's only way to the shop: addresses, tokens, points, and what each kind of answer means. */
export class ShopifyClient {
  private readonly base: string;
  private readonly tokens: Tokens;
  private readonly costs = new QueryCosts();

  constructor(
    private readonly options: ShopifyOptions,
    private readonly host: Pick<ChannelHost, 'http' | 'clock' | 'secrets'>,
  ) {
    this.base = (options.endpoint ?? `https://${options.shop}`).replace(/\/+$/, '');
    this.tokens = new Tokens(options.auth, (body) => this.requestToken(body), host.clock, host.secrets);
  }

  /**
   * The `data` of a document's answer. Throws `ChannelThrottledError` where the shop's points are used up,
   * `ChannelUnauthorizedError`, `QueryTooCostlyError`, `InvalidInputError`, `ChannelUnavailableError` for an
   * error of Shopify's own, and what `ChannelHttp` throws.
   */
  async run<Data>(document: DocumentName, variables: Variables = {}): Promise<Data> {
    const { data } = await this.runWithHeaders<Data>(document, variables);
    return data;
  }

  /** The same, with the headers of the answer. */
  async runWithHeaders<Data>(
    document: DocumentName,
    variables: Variables = {},
  ): Promise<{ data: Data; headers: Record<string, string> }> {
    const planned = this.costs.of(document, variables);
    const response = await this.post(document, variables, planned);
    const answer = response.json<GraphqlAnswer | null>();
    if (typeof answer !== 'object' || answer === null)
      throw new ChannelProtocolError(`${document}: the answer is no GraphQL answer`);
    this.learn(document, variables, answer, planned);
    if (answer.errors !== undefined) throw errorOf(document, answer);
    if (typeof answer.data !== 'object' || answer.data === null)
      throw new ChannelProtocolError(`${document}: the answer has neither data nor errors`);
    return { data: answer.data as Data, headers: response.headers };
  }

  /** A part of a bulk operation's result, which lies elsewhere and needs no token. Answers 200, 206 or 416. */
  async download(url: string, firstByte: number, lastByte: number): Promise<ChannelHttpResponse> {
    const response = await this.host.http.request({
      method: 'GET',
      url,
      headers: { accept: '*/*', range: `bytes=${firstByte}-${lastByte}` },
      limit: [],
      timeoutMs: 60_000,
    });
    if ([200, 206, 416].includes(response.status)) return response;
    throw new ChannelProtocolError(`the result of the bulk operation answered ${response.status}`);
  }

  /** A token that the shop takes no more was refused before anything was done: the call is sent once more. */
  private async post(
    document: DocumentName,
    variables: Variables,
    cost: number,
  ): Promise<ChannelHttpResponse> {
    for (let attempt = 1; ; attempt += 1) {
      const token = await this.tokens.current();
      const response = await this.host.http.request({
        method: 'POST',
        url: `${this.base}/admin/api/${this.options.apiVersion}/graphql.json`,
        headers: { 'x-shopify-access-token': token },
        json: { query: DOCUMENTS[document], variables },
        limit: 'points',
        cost,
        timeoutMs: this.options.timeoutMs,
      });
      if (response.status === 200) return response;
      const renewable = response.status === 401 && attempt === 1 && this.tokens.refused(token);
      if (!renewable) throw this.errorOfStatus(document, response.status);
    }
  }

  /** https://shopify.dev/docs/api/usage/response-codes */
  private errorOfStatus(document: DocumentName, status: number): Error {
    const call = `${document} answered ${status}`;
    if (status === 401 || status === 403)
      return new ChannelUnauthorizedError(
        `${call}: the shop refuses the app; check options.auth, and that the app is installed in ${this.options.shop}`,
      );
    if (status === 402 || status === 423)
      return new ChannelUnauthorizedError(
        `${call}: the shop is frozen or locked; its owner must open it again`,
      );
    if (status === 404) return new ChannelRequestError(`${call}; check options.shop and options.apiVersion`);
    if (status === 430) return new ChannelThrottledError(`${call}: Shopify takes these calls for an attack`);
    return new ChannelProtocolError(`${call} where 200 was expected`);
  }

  private learn(
    document: DocumentName,
    variables: Variables,
    { extensions }: GraphqlAnswer,
    planned: number,
  ): void {
    const { requestedQueryCost = 0, actualQueryCost, throttleStatus } = extensions?.cost ?? {};
    this.costs.note(document, variables, requestedQueryCost);
    this.host.http.learn('points', {
      perSecond: throttleStatus?.restoreRate,
      burst: throttleStatus?.maximumAvailable,
      remaining: throttleStatus?.currentlyAvailable,
      // What was refused, for its cost or as throttled, was not run: it says no cost, and has none.
      refunded: Math.max(0, planned - (actualQueryCost ?? 0)),
    });
  }

  private async requestToken(body: Record<string, string>): Promise<TokenAnswer> {
    const response = await this.host.http.request({
      method: 'POST',
      url: `${this.base}/admin/oauth/access_token`,
      json: body,
      limit: [],
      timeoutMs: this.options.timeoutMs,
    });
    const { status } = response;
    if (status >= 400)
      throw new ChannelUnauthorizedError(
        `the token endpoint answered ${status}: it refuses the credentials; check options.auth, and that the app is installed in ${this.options.shop}`,
      );
    const answer = response.json<TokenAnswer | null>();
    if (status !== 200 || typeof answer?.access_token !== 'string' || answer.access_token === '')
      throw new ChannelProtocolError(`the token endpoint answered ${status} without an access token`);
    return answer;
  }
}

/** Errors of the whole call, which come under HTTP 200. https://shopify.dev/docs/api/admin-graphql#status_and_error_codes */
function errorOf(document: DocumentName, { errors, extensions }: GraphqlAnswer): Error {
  const list = Array.isArray(errors) ? errors : [{ message: errors }];
  const codes = list.map((error) => error?.extensions?.code);
  const text = `${document}: ${readable(list[0]?.message)}`;
  if (codes.includes('THROTTLED')) return throttled(document, extensions);
  if (codes.includes('MAX_COST_EXCEEDED')) return new QueryTooCostlyError(text);
  if (codes.includes('ACCESS_DENIED'))
    return new ChannelUnauthorizedError(`${text}; give the app that scope, and install it again`);
  if (codes.includes('SHOP_INACTIVE')) return new ChannelUnauthorizedError(text);
  if (codes.includes('INTERNAL_SERVER_ERROR'))
    return new ChannelUnavailableError(
      `${document}: Shopify answered with an error of its own; it may have been applied`,
    );
  if (codes.includes('INVALID_VARIABLE')) return new InvalidInputError(text);
  if (codes.some((code) => typeof code === 'string')) return new ChannelRequestError(text);
  return new ChannelProtocolError(text);
}

/** How long until the points are there is told by the answer itself; there is no Retry-After. */
function throttled(document: DocumentName, extensions: GraphqlAnswer['extensions']): ChannelThrottledError {
  const { requestedQueryCost = 0, throttleStatus } = extensions?.cost ?? {};
  const message = `${document}: the shop's query points are used up`;
  if (!throttleStatus?.restoreRate) return new ChannelThrottledError(message);
  const missing = Math.max(0, requestedQueryCost - (throttleStatus.currentlyAvailable ?? 0));
  return new ChannelThrottledError(message, Math.ceil((missing / throttleStatus.restoreRate) * 1000));
}

/** Shopify's words for a fault name fields and scopes, never a buyer's data; they are cut to one line all the same. */
export function readable(message: unknown): string {
  const text = typeof message === 'string' ? message : 'an error without a message';
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
