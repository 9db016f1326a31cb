import {
  type Channel,
  type ChannelHost,
  ChannelProtocolError,
  type ChannelPlugin,
  type InventoryUpdate,
  isChannelError,
  type OrderDocument,
  type PushResult,
  type ShownInventory,
  UntranslatableError,
} from '../../src/channel-api';
import { IsString } from 'class-validator';
import { CANARY, type ShopTraits, signatureOf } from './shop';

class ShopOptions {
  @IsString()
  shop = '';
}

/** The plugin that serves simulated shops, written as any plugin is: it knows the host's `http` and nothing else. */
export function shopPlugin(traitsOf: (shop: string) => ShopTraits): ChannelPlugin<ShopOptions> {
  return {
    name: 'simulated-shop',
    version: '1.0.0',
    channelApi: '^1.0.0',
    options: ShopOptions,
    secrets: () => [CANARY],
    capabilities: ({ shop }) => {
      const { batchSize, answers, compareAndSet, cancels } = traitsOf(shop);
      return {
        pushBatchSize: batchSize,
        pushAnswers: answers,
        compareAndSet,
        stockByLocation: false,
        readsOrders: true,
        cancelsOrders: cancels,
        subscribesWebhooks: false,
      };
    },
    limits: ({ shop }) => {
      const { perSecond, burst } = traitsOf(shop);
      return [{ name: 'calls', perSecond, burst }];
    },
    connect: (_options, host) => channel(host, traitsOf(host.channel)),
  };
}

function channel(host: ChannelHost, { compareAndSet }: ShopTraits): Channel {
  const call = async <T>(method: 'GET' | 'PUT' | 'POST', path: string, json?: object): Promise<T> => {
    // A careless plugin: it is the host that keeps its secret out of the log.
    host.log.debug('asks the shop', { path, token: CANARY });
    const response = await host.http.request({
      method,
      url: `http://${host.channel}.test${path}`,
      headers: { authorization: `Bearer ${CANARY}` },
      ...(json && { json }),
    });
    if (response.status !== 200) throw new ChannelProtocolError(`the shop answered ${response.status}`);
    return response.json<T>();
  };
  return {
    pushInventory: (updates) =>
      call<PushResult[]>('PUT', '/stock', { updates: updates.map((each) => wire(each, compareAndSet)) }),
    async *readInventory({ cursor, channelSkus }) {
      for (let after = cursor; ;) {
        const path = `/stock?${new URLSearchParams({ ...(after && { after }), ...(channelSkus && { skus: channelSkus.join(',') }) })}`;
        const page = await call<{ items: { sku: string; units: number }[]; next?: string }>('GET', path);
        const items = page.items.map(({ sku, units }): ShownInventory => ({
          channelSku: sku,
          quantityUnits: units,
        }));
        yield { items, ...(page.next && { cursor: page.next }) };
        if (!page.next) return;
        after = page.next;
      }
    },
    async *readOrders({ cursor, since }) {
      for (let after = cursor; ;) {
        const path = `/orders?${new URLSearchParams({ ...(after && { after }), ...(since && { since }) })}`;
        const page = await call<{ orders: OrderDocument[]; next?: string }>('GET', path);
        yield { items: page.orders, ...(page.next && { cursor: page.next }) };
        if (!page.next) return;
        after = page.next;
      }
    },
    verifyWebhook: ({ headers, body }) =>
      headers['x-signature'] === signatureOf(body)
        ? { verdict: 'accepted', topic: 'orders' }
        : { verdict: 'refused', status: 401, reason: 'the signature does not match' },
    translateWebhook: ({ body }) => {
      const document = JSON.parse(body.toString()) as OrderDocument & { poison?: boolean };
      if (document.poison) throw new UntranslatableError('the order is not what the shop documents');
      return [document];
    },
    cancelOrder: ({ cancelId, orderId, lines }) =>
      call('POST', '/cancel', {
        cancelId,
        orderId,
        lines: lines.map(({ lineId, quantityUnits }) => ({ lineId, units: quantityUnits })),
      }),
    async check() {
      try {
        await call('GET', '/check');
        return { ok: true, findings: [] };
      } catch (error) {
        if (!isChannelError(error)) throw error;
        return { ok: false, findings: [{ ok: false, message: error.message }] };
      }
    },
  };
}

function wire(
  { pushId, channelSku, quantityUnits, believedUnits }: InventoryUpdate,
  compares: boolean,
): object {
  const believed = compares && believedUnits !== undefined && { believed: believedUnits };
  return { pushId, sku: channelSku, units: quantityUnits, ...believed };
}
