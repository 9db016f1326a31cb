import {
  ChannelError,
  ChannelProtocolError,
  ChannelUnauthorizedError,
  type ChannelClock,
  type ChannelHttp,
  type ChannelHttpRequest,
  type ChannelHttpResponse,
} from 'onhand/channel-api';
import type { Operation } from './amazon-sp-api.limits';
import type { AmazonSpApiOptions, Region } from './amazon-sp-api.options';
import { type Grant, LwaTokens } from './amazon-sp-api.tokens';
import type { WireError } from './amazon-sp-api.wire';

/** developer-docs.amazon.com/sp-api/docs/sp-api-endpoints */
const ENDPOINTS: Record<Region, string> = {
  na: 'https://sellingpartnerapi-na.amazon.com',
  eu: 'https://sellingpartnerapi-eu.amazon.com',
  fe: 'https://sellingpartnerapi-fe.amazon.com',
};

/** A list is sent with commas between its values. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Call {
  operation: Operation;
  method: ChannelHttpRequest['method'];
  /** With its values encoded: see `segment`. */
  path: string;
  query?: Query;
  json?: unknown;
  grant?: Grant;
  /** Limits that it counts under beside that of its operation. */
  limits?: readonly string[];
}

/** Amazon understood the call and says no: it would say so again. */
export class AmazonRefusal extends ChannelError {
  constructor(
    readonly operation: Operation,
    readonly status: number,
    readonly errors: readonly WireError[],
  ) {
    const said = errors.map(({ code, message }) => `${code}: ${message}`).join('; ');
    super('amazon-refused', `${operation} answered ${status}${said && `: ${said.slice(0, 300)}`}`, false);
  }
}

/** The plugin's only way to Amazon but for the documents of feeds and reports: addresses, tokens, plans, and what a status means. */
export class SpApiClient {
  private readonly base: string;
  private readonly tokens: LwaTokens;

  constructor(
    private readonly options: AmazonSpApiOptions,
    private readonly http: ChannelHttp,
    clock: ChannelClock,
  ) {
    this.base = (options.endpoint ?? ENDPOINTS[options.region]).replace(/\/+$/, '');
    this.tokens = new LwaTokens(options, http, clock);
  }

  /** Proves the credentials, and no role. Throws as `call` does. */
  async authorize(): Promise<void> {
    await this.tokens.get('seller');
  }

  /**
   * The parsed answer of a call that Amazon took. Throws `AmazonRefusal` (4xx), `ChannelUnauthorizedError`
   * (401 and 403), `ChannelProtocolError`, and what `ChannelHttp` throws.
   */
  async call<T>({ operation, method, path, query, json, grant = 'seller', limits = [] }: Call): Promise<T> {
    const token = await this.tokens.get(grant);
    const response = await this.http.request({
      method,
      url: `${this.base}${path}${queryText(query)}`,
      headers: { 'x-amz-access-token': token },
      limit: [operation, ...limits],
      ...(json === undefined ? {} : { json }),
    });
    this.learn(operation, response);
    if (response.status === 401 || response.status === 403) {
      this.tokens.forget(grant);
      throw new ChannelUnauthorizedError(
        `${operation} answered ${response.status} (${codesOf(errorsOf(response))}): the application lacks the role for it, or the seller took the authorisation back; check its roles in the Solution Provider Portal and authorise it again`,
      );
    }
    if (response.status >= 400) throw new AmazonRefusal(operation, response.status, errorsOf(response));
    // What was called off is answered with nothing at all.
    if (method === 'DELETE') return undefined as T;
    const answer = response.json<T>();
    if (typeof answer !== 'object' || answer === null)
      throw new ChannelProtocolError(`${operation} answered ${response.status} without a JSON object`);
    return answer;
  }

  /** Plans differ from account to account, and this header is where Amazon tells of them, when it does. */
  private learn(operation: Operation, { headers }: ChannelHttpResponse): void {
    const perSecond = Number(headers['x-amzn-ratelimit-limit']) * this.options.timeScale;
    if (perSecond > 0) this.http.learn(operation, { perSecond });
  }
}

/**
 * A value as one segment of a path. Undefined where it cannot be one: "." and ".." would lead to another
 * address, and half a surrogate pair has no encoding.
 */
export function segment(value: string): string | undefined {
  if (value === '' || value === '.' || value === '..') return undefined;
  try {
    return encodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function queryText(query: Query = {}): string {
  const parts = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const text = Array.isArray(value) ? value.join(',') : String(value as string);
    return [`${name}=${encodeURIComponent(text)}`];
  });
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** None where the body is not what Amazon documents for a refusal. */
function errorsOf(response: ChannelHttpResponse): WireError[] {
  try {
    const { errors } = response.json<{ errors?: unknown }>() ?? {};
    if (!Array.isArray(errors)) return [];
    return errors.map((error: Partial<WireError> | null) => ({
      code: String(error?.code ?? 'unknown'),
      message: String(error?.message ?? ''),
    }));
  } catch {
    return [];
  }
}

function codesOf(errors: readonly WireError[]): string {
  return errors.map(({ code }) => code).join(', ') || 'no reason given';
}
