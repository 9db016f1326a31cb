import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OrderDocument, WebhookRequest } from '../contract';
import type { SimulatorFaults } from '../simulator';
import { type ConnectedChannel, withChannel } from './connected-channel';
import type { ContractCase } from './contract-case';
import { expectEqual, expectThat } from './expectations';
import { documentsOf, placeOrder } from './webhook-requests';

const group = 'webhooks that the simulator sends';
const ORDERS = 20;

export const DELIVERY_CASES: readonly ContractCase[] = [
  {
    group,
    needs: ['webhooks'],
    name: 'each change is sent, signed so that the plugin accepts it, and again until it is taken',
    run: (contract) =>
      withChannel(
        contract,
        async (connected) => {
          const received = await receive(connected, {}, { refuseFirst: 3 });
          await expectNewest(connected, received);
          const { deliveries } = connected.simulator;
          expectEqual(
            deliveries.filter(({ attempt }) => attempt > 1).length,
            3,
            'The simulator sends again what was not answered 2xx, and nothing else',
          );
        },
        { simulator: { webhookRetryMs: [20, 20, 20] } },
      ),
  },
  {
    group,
    needs: ['webhooks'],
    name: 'duplicated, out of order and late, they end in the newest state of each order',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const faults = { duplicate: 0.5, reorder: 0.3, delay: 0.3, delayUpToMs: 100 };
        const received = await receive(connected, faults);
        expectThat(
          received.length > 2 * ORDERS,
          'The simulator sends webhooks twice when it is told to: extend SimulatorFrame and call sendWebhook on each change',
          received.length,
        );
        await expectNewest(connected, received);
      }),
  },
  {
    group,
    needs: ['webhooks', 'subscribesWebhooks'],
    name: 'subscribe(url) has the channel send its webhooks there, and once however often it is called',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const { simulator, channel } = connected;
        const received: WebhookRequest[] = [];
        const { server, url } = await listen(connected, received, 0);
        try {
          await channel.subscribe?.(url);
          await channel.subscribe?.(url);
          placeOrder(simulator, 'o-1');
          await simulator.delivered();
        } finally {
          server.close();
        }
        expectEqual(received.length, 1, 'After subscribe(url) the channel sends each webhook there, once');
      }),
  },
];

/** Has the simulator send the webhooks of some orders, each placed and shipped, and answers what arrived. */
async function receive(
  connected: ConnectedChannel,
  faults: Partial<SimulatorFaults>,
  { refuseFirst = 0 } = {},
): Promise<WebhookRequest[]> {
  const { simulator } = connected;
  const received: WebhookRequest[] = [];
  const { server, url } = await listen(connected, received, refuseFirst);
  try {
    simulator.faults(faults);
    simulator.deliverTo(url);
    for (let index = 0; index < ORDERS; index += 1) placeOrder(simulator, `o-${index}`);
    for (let index = 0; index < ORDERS; index += 1)
      simulator.fulfilOrder(`o-${index}`, '2025-03-01T11:00:00.000Z');
    await simulator.delivered();
    return received;
  } finally {
    server.close();
  }
}

async function expectNewest(connected: ConnectedChannel, received: WebhookRequest[]): Promise<void> {
  const { simulator, channel } = connected;
  const newest = new Map<string, OrderDocument>();
  for (const request of received) {
    const verdict = await channel.verifyWebhook(request);
    expectEqual(verdict.verdict, 'accepted', 'What the channel sends is accepted');
    for (const document of await documentsOf(connected, request)) {
      if (document.kind !== 'order') continue;
      const known = newest.get(document.orderId);
      if (!known || known.revision < document.revision) newest.set(document.orderId, document);
    }
  }
  const orders = Array.from({ length: ORDERS }, (_, index) => simulator.order(`o-${index}`));
  expectEqual(
    orders.map(({ orderId }) => newest.get(orderId)),
    orders,
    'However they arrive, the document with the greatest revision is the order as it stands',
  );
}

async function listen(
  { channel }: ConnectedChannel,
  received: WebhookRequest[],
  refuseFirst: number,
): Promise<{ server: Server; url: string }> {
  let toRefuse = refuseFirst;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const webhook = {
      method: request.method ?? 'POST',
      path: request.url ?? '/',
      headers: request.headers as Record<string, string>,
      body: Buffer.concat(chunks),
    };
    // Some channels first ask for proof that the address is the subscriber's.
    const verdict = webhook.method === 'GET' ? await channel.verifyWebhook(webhook) : undefined;
    if (verdict?.verdict === 'challenge') {
      response.writeHead(verdict.status, { 'content-type': verdict.contentType }).end(verdict.body);
      return;
    }
    toRefuse -= 1;
    if (toRefuse >= 0) {
      response.writeHead(503).end();
      return;
    }
    received.push({ ...webhook, path: '/' });
    response.writeHead(200, { connection: 'close' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/shop` };
}
