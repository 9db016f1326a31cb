import { defineChannelPlugin, isChannelError } from 'onhand/channel-api';
import { SampleShopClient } from './sample-shop.client.js';
import { limits } from './sample-shop.limits.js';
import { SampleShopOptions } from './sample-shop.options.js';
import { translateOrder, translatePage, translateStock } from './sample-shop.translate.js';
import { translateWebhook, verifyWebhook } from './sample-shop.webhook.js';

/** @typedef {import('onhand/channel-api').Channel} Channel */
/** @typedef {import('./sample-shop.options.js').Options} Options */

export default defineChannelPlugin({
  name: 'sample-shop',
  version: '0.1.0',
  channelApi: '^1.0.0',
  options: SampleShopOptions,
  secrets: (options) =>
    [options.token, options.webhookSecret, options.previousWebhookSecret ?? ''].filter(Boolean),
  limits,
  capabilities: () => ({
    pushBatchSize: 50,
    pushAnswers: 'applied',
    compareAndSet: false,
    stockByLocation: false,
    readsOrders: true,
    cancelsOrders: true,
    subscribesWebhooks: true,
  }),
  connect: (options, host) => new SampleShopChannel(options, host),
});

/** @implements {Channel} */
class SampleShopChannel {
  /**
   * @param {Options} options
   * @param {import('onhand/channel-api').ChannelHost} host
   */
  constructor(options, host) {
    this.options = options;
    this.client = new SampleShopClient(options, host.http);
  }

  /**
   * One call for the whole batch; the shop answers row by row, in the order of the request.
   * @type {Channel['pushInventory']}
   */
  async pushInventory(updates) {
    if (updates.length === 0) return [];
    const rows = updates.map(({ channelSku, quantityUnits }) => ({
      sku: channelSku,
      quantity: quantityUnits,
    }));
    const results = await this.client.setStock(rows);
    return updates.map(({ pushId }, index) => {
      const { status, message } = results[index] ?? {};
      if (status === 'ok') return { pushId, outcome: 'applied' };
      const reason = message ?? 'the shop answered without a result for this row';
      const code = status ?? 'no-result';
      return { pushId, outcome: 'rejected', code, reason, retryable: status === undefined };
    });
  }

  /** @type {Channel['readInventory']} */
  async *readInventory({ cursor, channelSkus }) {
    const wanted = channelSkus && new Set(channelSkus);
    for await (const { rows, next } of this.client.pages('/v1/stock', {}, cursor)) {
      const { items, unreadable } = translatePage(rows, 'sku', translateStock);
      const kept = wanted ? items.filter(({ channelSku }) => wanted.has(channelSku)) : items;
      yield { items: kept, unreadable, cursor: next };
    }
  }

  /** @type {Channel['readOrders']} */
  async *readOrders({ cursor, since }) {
    /** @type {Record<string, string>} */
    const query = since === undefined ? {} : { changed_since: since };
    for await (const { rows, next } of this.client.pages('/v1/orders', query, cursor)) {
      yield { ...translatePage(rows, 'id', translateOrder), cursor: next };
    }
  }

  /** @type {Channel['verifyWebhook']} */
  verifyWebhook(request) {
    return verifyWebhook(request, this.options);
  }

  /** @type {Channel['translateWebhook']} */
  translateWebhook(request) {
    return translateWebhook(request);
  }

  /**
   * The shop keeps `key`, so that a cancellation asked for again cancels nothing more.
   * @param {import('onhand/channel-api').CancelRequest} request
   * @returns {Promise<import('onhand/channel-api').CancelResult>}
   */
  async cancelOrder({ cancelId, orderId, lines, reason, message }) {
    const answer = await this.client.cancel(orderId, {
      key: cancelId,
      lines: lines.map(({ lineId, quantityUnits }) => ({ id: lineId, quantity: quantityUnits })),
      reason,
      message,
    });
    if (answer.refusal !== undefined) return { outcome: 'impossible', reason: answer.refusal };
    if (answer.receipt !== undefined) return { outcome: 'pending', receipt: answer.receipt };
    return { outcome: 'cancelled' };
  }

  /**
   * The shop knows a webhook by its address: registering one again changes nothing.
   * @param {string} url
   */
  async subscribe(url) {
    await this.client.subscribe(url);
  }

  /** @type {Channel['check']} */
  async check() {
    try {
      const { name } = await this.client.account();
      return { ok: true, findings: [{ ok: true, message: `the shop ${name} takes the token` }] };
    } catch (error) {
      if (!isChannelError(error)) throw error;
      return { ok: false, findings: [{ ok: false, message: error.message }] };
    }
  }
}
