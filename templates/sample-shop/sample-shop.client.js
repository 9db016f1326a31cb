import { ChannelProtocolError, ChannelUnauthorizedError } from 'onhand/channel-api';

const PAGE_SIZE = 100;

/**
 * The plugin's only way to the shop. `host.http` waits for limits, bounds time and size, keeps secrets out of
 * messages, and throws what a 429, a 5xx and a lost connection mean; all other statuses are for us to read.
 */
export class SampleShopClient {
  /**
   * @param {import('./sample-shop.options.js').Options} options
   * @param {import('onhand/channel-api').ChannelHttp} http
   */
  constructor(options, http) {
    this.base = options.baseUrl.replace(/\/+$/, '');
    this.token = options.token;
    this.http = http;
  }

  /**
   * @param {{ sku: string, quantity: number }[]} rows
   * @returns {Promise<{ status?: string, message?: string }[]>} One for each row, in their order.
   */
  async setStock(rows) {
    const { results } = await this.json('PUT', '/v1/stock', { rows });
    if (!Array.isArray(results)) throw new ChannelProtocolError('PUT /v1/stock answered without results');
    return results;
  }

  /**
   * @param {string} path
   * @param {Record<string, string>} query
   * @param {string} [cursor] Goes on after the page it came with.
   * @returns {AsyncGenerator<{ rows: unknown[], next?: string }>}
   */
  async *pages(path, query, cursor) {
    let after = cursor;
    do {
      const page = { ...query, limit: String(PAGE_SIZE), ...(after === undefined ? {} : { after }) };
      const { rows, next } = await this.json('GET', `${path}?${new URLSearchParams(page)}`);
      if (!Array.isArray(rows)) throw new ChannelProtocolError(`GET ${path} answered without rows`);
      after = typeof next === 'string' ? next : undefined;
      yield { rows, ...(after === undefined ? {} : { next: after }) };
    } while (after !== undefined);
  }

  /**
   * @param {string} orderId
   * @param {object} request
   * @returns {Promise<{ refusal?: string, receipt?: string }>}
   */
  async cancel(orderId, request) {
    const path = `/v1/orders/${encodeURIComponent(orderId)}/cancel`;
    const response = await this.send('POST', path, request);
    if (response.status === 404 || response.status === 409) {
      return { refusal: `the shop answered ${response.status}: unknown, shipped or cancelled already` };
    }
    const { receipt } = this.parsed(response, path);
    return response.status === 202 ? { receipt: String(receipt) } : {};
  }

  /** @param {string} url */
  async subscribe(url) {
    await this.json('PUT', '/v1/webhooks', { url });
  }

  /** @returns {Promise<{ name: string }>} */
  async account() {
    const { name } = await this.json('GET', '/v1/account');
    return { name: String(name) };
  }

  /**
   * @param {'GET' | 'PUT' | 'POST'} method
   * @param {string} path
   * @param {object} [json]
   */
  async json(method, path, json) {
    return this.parsed(await this.send(method, path, json), path);
  }

  /**
   * @param {'GET' | 'PUT' | 'POST'} method
   * @param {string} path
   * @param {object} [json]
   */
  async send(method, path, json) {
    const response = await this.http.request({
      method,
      url: `${this.base}${path}`,
      headers: { authorization: `Bearer ${this.token}` },
      limit: 'api',
      ...(json === undefined ? {} : { json }),
    });
    if (response.status === 401 || response.status === 403) {
      throw new ChannelUnauthorizedError(
        `the shop refuses the token (${response.status}); check options.token`,
      );
    }
    return response;
  }

  /**
   * `response.json()` keeps ids beyond 2^53 whole, and throws where the shop answered with a page for people.
   * @param {import('onhand/channel-api').ChannelHttpResponse} response
   * @param {string} path
   * @returns {Record<string, unknown>}
   */
  parsed(response, path) {
    const body = response.json();
    if (response.status < 300 && typeof body === 'object' && body !== null) return { ...body };
    throw new ChannelProtocolError(
      `${path.split('?')[0]} answered ${response.status}, which it does not document`,
    );
  }
}
