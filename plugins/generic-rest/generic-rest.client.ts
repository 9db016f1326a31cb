import {
  ChannelProtocolError,
  ChannelRequestError,
  ChannelUnauthorizedError,
  type ChannelHttp,
  type ChannelHttpRequest,
  type ChannelHttpResponse,
} from 'onhand/channel-api';
import type { AuthOptions, GenericRestOptions } from './generic-rest.options';

export type Query = Record<string, string>;

export interface Call {
  method: ChannelHttpRequest['method'];
  path: string;
  /** The option that gives the path, for messages. */
  option: string;
  query?: Query;
  json?: unknown;
  headers?: Record<string, string>;
}

/** The plugin's only way to the shop: addresses, authentication, and what a status means for every call. */
export class GenericRestClient {
  private readonly base: string;

  constructor(
    private readonly options: GenericRestOptions,
    private readonly http: ChannelHttp,
  ) {
    this.base = options.baseUrl.replace(/\/+$/, '');
  }

  /**
   * Answers any status but 401 and 403; what the others mean is the caller's to know. Throws
   * `ChannelUnauthorizedError`, and what `ChannelHttp` throws.
   */
  async send(call: Call): Promise<ChannelHttpResponse> {
    const query = new URLSearchParams(call.query).toString();
    const response = await this.http.request({
      method: call.method,
      url: `${this.base}${call.path}${query === '' ? '' : `?${query}`}`,
      headers: { ...authHeaders(this.options.auth), ...call.headers },
      timeoutMs: this.options.timeoutMs,
      ...(call.json === undefined ? {} : { json: call.json }),
    });
    if (response.status === 401 || response.status === 403) {
      throw new ChannelUnauthorizedError(
        `${call.method} ${call.path} answered ${response.status}: the shop refuses the credentials; check options.auth and what they are allowed to do`,
      );
    }
    return response;
  }

  /** The parsed answer of a GET. Throws also `ChannelRequestError` (404) and `ChannelProtocolError` (any other). */
  async get(call: Omit<Call, 'method' | 'json'>): Promise<unknown> {
    const response = await this.send({ ...call, method: 'GET' });
    if (response.status === 404) {
      throw new ChannelRequestError(
        `GET ${call.path} answered 404; check options.baseUrl and options.${call.option}`,
      );
    }
    if (response.status !== 200) {
      throw new ChannelProtocolError(`GET ${call.path} answered ${response.status} where 200 was expected`);
    }
    return response.json();
  }
}

/**
 * Fills a template such as `/api/inventory/{sku}`. Undefined where the values cannot stand in a path:
 * "." and ".." would lead to another address, and half a surrogate pair has no encoding.
 */
export function fillPath(template: string, values: Record<string, string | undefined>): string | undefined {
  try {
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
    const climbs = path.split('/').some((segment) => segment === '.' || segment === '..');
    const empty = Object.keys(values).some((name) => template.includes(`{${name}}`) && !values[name]);
    return climbs || empty ? undefined : path;
  } catch {
    return undefined;
  }
}

function authHeaders(auth: AuthOptions): Record<string, string> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'bearer':
      return { authorization: `Bearer ${auth.token}` };
    case 'basic':
      return {
        authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`,
      };
    case 'header':
      return { [auth.name as string]: auth.value as string };
  }
}
