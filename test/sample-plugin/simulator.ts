import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ShopOrder } from './orders';

const PAGE_SIZE = 2;

export interface JsonShop {
  readonly url: string;
  /** What buyers see, by SKU. */
  readonly stock: Map<string, number>;
  /** A buyer orders; the shop takes what it sold off what it shows. */
  order(number: string, sku: string, quantity: number): void;
  ship(number: string): void;
  /** The webhook that the shop sends for an order as it stands. */
  webhook(number: string): { headers: Record<string, string>; body: Buffer };
  close(): Promise<void>;
}

/** A JSON Shop on a port of this machine. */
export async function startJsonShop(settings: { token: string; webhookSecret: string }): Promise<JsonShop> {
  const stock = new Map<string, number>();
  const orders = new Map<string, ShopOrder>();
  const server = createServer((request, response) => {
    const authorized = request.headers.authorization === `Bearer ${settings.token}`;
    void readBody(request).then((body) => {
      const [status, answer] = authorized ? handle(request, body, stock, orders) : [401, { error: 'token' }];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stock,
    order(number, sku, quantity) {
      const now = new Date().toISOString();
      const line = { line: 1, sku, quantity, cancelled: 0, shipped: 0, returned: 0 };
      orders.set(number, { number, version: 1, created: now, changed: now, lines: [line] });
      stock.set(sku, Math.max((stock.get(sku) ?? 0) - quantity, 0));
    },
    ship(number) {
      const order = orders.get(number)!;
      for (const line of order.lines) line.shipped = line.quantity;
      order.version += 1;
      order.changed = new Date().toISOString();
    },
    webhook(number) {
      const body = Buffer.from(JSON.stringify(orders.get(number)));
      const signature = createHmac('sha256', settings.webhookSecret).update(body).digest('base64');
      return { headers: { 'content-type': 'application/json', 'x-json-shop-signature': signature }, body };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function handle(
  request: IncomingMessage,
  body: string,
  stock: Map<string, number>,
  orders: Map<string, ShopOrder>,
): [status: number, answer: unknown] {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop');
  const after = Number(searchParams.get('after') ?? 0);
  const next = (length: number) => (after + PAGE_SIZE < length ? { next: String(after + PAGE_SIZE) } : {});
  if (request.method === 'PUT' && pathname === '/stock') {
    const { items } = JSON.parse(body) as { items: { sku: string; quantity: number }[] };
    const known = items.filter(({ sku }) => stock.has(sku));
    for (const { sku, quantity } of known) stock.set(sku, quantity);
    return [200, { unknown: items.map(({ sku }) => sku).filter((sku) => !stock.has(sku)) }];
  }
  if (pathname === '/stock') {
    const items = [...stock].map(([sku, quantity]) => ({ sku, quantity }));
    return [200, { items: items.slice(after, after + PAGE_SIZE), ...next(items.length) }];
  }
  if (pathname === '/orders') {
    const since = searchParams.get('changed_since') ?? '';
    const changed = [...orders.values()].filter((order) => order.changed >= since);
    return [200, { orders: changed.slice(after, after + PAGE_SIZE), ...next(changed.length) }];
  }
  return [404, { error: 'not found' }];
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
