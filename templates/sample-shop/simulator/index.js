import { createHmac } from 'node:crypto';
import { jsonWithBareIds, SimulatorFrame, SimulatorRefusal } from 'onhand/channel-api';

/**
 * Starts a Sample Shop on this machine, behaving as the real one documents. The contract suite, the demo and
 * load tests drive it.
 * @type {import('onhand/channel-api').StartSimulator}
 */
export async function startSimulator(options) {
  const simulator = new SampleShopSimulator(options);
  await simulator.listen();
  return simulator;
}

/** Items, orders, faults, limits, outages and logs are the frame's; what is here is how the shop words them. */
class SampleShopSimulator extends SimulatorFrame {
  signatureHeader = 'x-sample-shop-signature';
  wrongCredentials = { token: 'a-token-of-nobody' };

  /** @param {import('onhand/channel-api').SimulatorOptions} options */
  constructor(options) {
    super(options);
    this.token = options.token ?? 'token-of-the-simulated-shop';
  }

  get pluginOptions() {
    const { webhookSecret, previousWebhookSecret, limit } = this.options;
    return {
      baseUrl: this.url,
      token: this.token,
      webhookSecret,
      ...(previousWebhookSecret === undefined ? {} : { previousWebhookSecret }),
      ...(limit ? { callsPerSecond: limit.perSecond, burst: limit.burst } : {}),
    };
  }

  /** @param {string} orderId */
  webhookFor(orderId) {
    const body = Buffer.from(jsonWithBareIds(this.orderBody(this.shop.order(orderId))));
    const signature = createHmac('sha256', this.options.webhookSecret).update(body).digest('base64');
    return { headers: { 'content-type': 'application/json', 'x-sample-shop-signature': signature }, body };
  }

  /**
   * @param {import('onhand/channel-api').SimulatedRequest} request
   * @returns {import('onhand/channel-api').SimulatedReply}
   */
  answer(request) {
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return { status: 401, body: { error: 'token' } };
    try {
      return this.route(request);
    } catch (error) {
      if (!(error instanceof SimulatorRefusal)) throw error;
      return { status: error.status, body: { error: error.code } };
    }
  }

  /**
   * @param {import('onhand/channel-api').SimulatedRequest} request
   * @returns {import('onhand/channel-api').SimulatedReply}
   */
  route({ method, path, query, body, pretend }) {
    const json = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
    const [after, limit] = [query.get('after'), Number(query.get('limit') ?? 100)];
    const [, orderId] = /^\/v1\/orders\/([^/]+)\/cancel$/.exec(path) ?? [];
    if (method === 'POST' && orderId) return this.cancel(decodeURIComponent(orderId), json);
    switch (`${method} ${path}`) {
      case 'GET /v1/account':
        return { status: 200, body: { name: 'Sample Shop' } };
      case 'PUT /v1/stock':
        return {
          status: 200,
          body: { results: json.rows.map((/** @type {Row} */ row) => this.setStock(row, pretend)) },
        };
      case 'GET /v1/stock': {
        const { items, nextCursor } = this.shop.inventoryPage(after, limit);
        return page(
          items.map((item) => this.stockBody(item)),
          nextCursor,
        );
      }
      case 'GET /v1/orders': {
        const { items, nextCursor } = this.shop.ordersPage(query.get('changed_since'), after, limit);
        return page(
          items.map((order) => this.orderBody(order)),
          nextCursor,
        );
      }
      case 'PUT /v1/webhooks':
        this.deliverTo(json.url);
        return { status: 200, body: { url: json.url } };
      default:
        return { status: 404, body: { error: 'unknown-route' } };
    }
  }

  /**
   * @typedef {{ sku: unknown, quantity: unknown }} Row
   * @param {Row} row
   * @param {boolean} pretend
   */
  setStock({ sku, quantity }, pretend) {
    try {
      this.shop.setQuantity({ channelSku: sku, quantityUnits: quantity }, pretend);
      return { status: 'ok' };
    } catch (error) {
      if (!(error instanceof SimulatorRefusal)) throw error;
      return { status: error.code, message: error.message };
    }
  }

  /**
   * @param {string} orderId
   * @param {{ key: string, lines: { id: string, quantity: number }[] }} request
   * @returns {import('onhand/channel-api').SimulatedReply}
   */
  cancel(orderId, { key, lines }) {
    const units = new Map(lines.map(({ id, quantity }) => [id, quantity]));
    const outcome = this.shop.requestCancel(orderId, units, key);
    if (outcome === 'cancelled') return { status: 200, body: { status: 'cancelled' } };
    return { status: 202, body: { status: 'pending', receipt: `cancel-${orderId}` } };
  }

  /** @param {import('onhand/channel-api').SimulatedItem} item */
  stockBody({ channelSku, quantityUnits, title }) {
    return { sku: channelSku, quantity: this.spoiled.has(channelSku) ? 'plenty' : quantityUnits, title };
  }

  /** @param {import('onhand/channel-api').OrderDocument} order */
  orderBody({ orderId, revision, placedAt, updatedAt, lines }) {
    return {
      id: orderId,
      version: revision,
      created_at: this.spoiled.has(orderId) ? 'some time ago' : placedAt,
      updated_at: updatedAt,
      lines: lines.map(({ lineId, channelSku, ordered, cancelled, fulfilled, returned }) => ({
        id: lineId,
        sku: channelSku,
        quantity: ordered,
        cancelled,
        shipped: fulfilled,
        returned,
      })),
    };
  }
}

/**
 * @param {object[]} rows
 * @param {string | null} next
 * @returns {import('onhand/channel-api').SimulatedReply}
 */
function page(rows, next) {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    text: jsonWithBareIds({ rows, next }),
  };
}
