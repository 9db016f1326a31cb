import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SimulatorFaults } from '../simulator';
import { FaultDice, NO_FAULTS } from './fault-dice';
import { WebhookDeliverer } from './webhook-deliverer';

let server: Server;
let received: string[] = [];
/** What the receiver answers, one status for each request and then 200; 0 cuts the connection. */
let answers: number[] = [];
let deliverer: WebhookDeliverer | undefined;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const status = answers.shift() ?? 200;
    if (status === 200) received.push(Buffer.concat(chunks).toString());
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  deliverer?.close();
  received = [];
  answers = [];
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function deliver(faults: Partial<SimulatorFaults>, seed = 1, retryMs = [10, 20, 40]): WebhookDeliverer {
  const current = { ...NO_FAULTS, ...faults };
  deliverer = new WebhookDeliverer(new FaultDice(seed), () => current, retryMs);
  deliverer.deliverTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/shop`);
  return deliverer;
}

async function send(count: number, to: WebhookDeliverer): Promise<void> {
  for (let index = 0; index < count; index += 1)
    to.send({ headers: { 'x-order': String(index) }, body: Buffer.from(String(index)) });
  await to.delivered();
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const sorted = (texts: readonly string[]) => [...texts].sort((a, b) => Number(a) - Number(b));

test('without faults each webhook arrives once', async () => {
  await send(200, deliver({}));
  expect(sorted(received)).toEqual(numbers(200));
});

test('a webhook with an address of its own goes there, whatever the deliverer was told', async () => {
  const to = deliver({});
  to.deliverTo(null);
  const webhook = { headers: {}, body: Buffer.from('subscribed') };
  to.send(webhook, `http://127.0.0.1:${(server.address() as AddressInfo).port}/elsewhere`);
  await to.delivered();
  to.close();
  to.send(webhook, `http://127.0.0.1:${(server.address() as AddressInfo).port}/elsewhere`);
  await to.delivered();
  expect(received).toEqual(['subscribed']);
});

test('nothing is sent before there is an address, nor after it was taken away', async () => {
  const to = deliver({});
  to.deliverTo(null);
  await send(5, to);
  expect(to.isUsed).toBe(false);
  expect(received).toEqual([]);
});

test('what is not answered 2xx is sent again as it was, and is given up after the last pause', async () => {
  answers = [503, 0, 302, 404];
  const to = deliver({});
  await send(1, to);
  expect(received).toEqual([]);
  expect(to.attempts.map(({ attempt, status }) => [attempt, status])).toEqual([
    [1, 503],
    [2, 0],
    [3, 302],
    [4, 404],
  ]);
  answers = [500];
  await send(1, to);
  expect(received).toEqual(['0']);
});

test('a webhook is what it was when its cause happened, however late it goes out', async () => {
  const to = deliver({ delay: 1, delayUpToMs: 30 });
  const body = Buffer.from('before');
  to.send({ headers: {}, body });
  await to.delivered();
  expect(received).toEqual(['before']);
});

test('duplicate sends a share of them twice', async () => {
  await send(400, deliver({ duplicate: 0.1 }));
  const twice = received.length - 400;
  expect(twice).toBeGreaterThan(20);
  expect(twice).toBeLessThan(60);
  expect(new Set(received).size).toBe(400);
});

test('drop never sends a share of them', async () => {
  await send(400, deliver({ drop: 0.25 }));
  expect(received.length).toBeGreaterThan(260);
  expect(received.length).toBeLessThan(340);
});

test('reorder lets later ones overtake, and holds none back for ever', async () => {
  const to = deliver({ reorder: 1 });
  await send(1, to);
  expect(received).toEqual(['0']);
  received = [];
  // One after the other, for what goes out at once is in no order anyway.
  const some = deliver({ reorder: 0.3 });
  for (const number of numbers(30)) {
    some.send({ headers: {}, body: Buffer.from(number) });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await some.delivered();
  expect(received).not.toEqual(numbers(30));
  expect(sorted(received)).toEqual(numbers(30));
});

test('the same seed sends the same webhooks astray', async () => {
  const astray: string[][] = [];
  for (const seed of [7, 7, 8]) {
    await send(100, deliver({ drop: 0.3, duplicate: 0.3 }, seed));
    astray.push(sorted(received));
    received = [];
  }
  expect(astray[1]).toEqual(astray[0]);
  expect(astray[2]).not.toEqual(astray[0]);
});
