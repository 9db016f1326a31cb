import { createServer, type IncomingMessage, type Server } from 'node:http';
import { HostClient } from './host-client';
import { HostProblemError, HostUnreachableError } from './host.errors';

interface Answer {
  status: number;
  body?: unknown;
}

let server: Server;
let url: string;
let asked: { method?: string; url?: string; headers: IncomingMessage['headers']; body: string }[];
let answers: Answer[];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      const { status, body: answer } = answers.shift() ?? { status: 500 };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const UNAVAILABLE = {
  status: 503,
  body: { code: 'ledger-unavailable', title: 'The database cannot be reached', detail: 'later' },
};

test('a write answered 503 is sent again with the same key and body', async () => {
  answers = [UNAVAILABLE, UNAVAILABLE, { status: 201, body: { fine: true } }];
  const host = new HostClient({ url, apiKey: 'secret-key' });
  await expect(host.post('/v1/events', [{ sku: 'A' }], { key: 'k-1' })).resolves.toEqual({ fine: true });
  expect(asked.map(({ headers, body }) => [headers['idempotency-key'], headers.authorization, body])).toEqual(
    Array(3).fill(['k-1', 'Bearer secret-key', '[{"sku":"A"}]']),
  );
});

test('a write without a key is sent once', async () => {
  answers = [UNAVAILABLE];
  await expect(new HostClient({ url }).post('/v1/keys', {})).rejects.toThrow(
    'The database cannot be reached: later',
  );
  expect(asked).toHaveLength(1);
});

test('a webhook carries its bytes and its signature, and no API key', async () => {
  answers = [{ status: 200, body: { received: true, duplicate: false } }];
  const delivery = {
    headers: { 'x-shop-signature': 'abc', 'content-type': 'application/json' },
    body: Buffer.from('{"id": 1}'),
  };
  await new HostClient({ url, apiKey: 'secret-key' }).deliver('/webhooks/shop', delivery);
  expect(asked[0]).toMatchObject({
    url: '/webhooks/shop',
    body: '{"id": 1}',
    headers: { 'x-shop-signature': 'abc' },
  });
  expect(asked[0]!.headers.authorization).toBeUndefined();
});

test('a problem is told with title, detail and field errors', async () => {
  const errors = [{ field: 'sku', message: 'must be a string' }];
  answers = [
    {
      status: 400,
      body: { code: 'invalid-request', title: 'The request is not understood', detail: 'sku', errors },
    },
  ];
  const failure: unknown = await new HostClient({ url }).get('/v1/stock').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HostProblemError);
  expect(failure).toMatchObject({ status: 400, code: 'invalid-request' });
  expect((failure as Error).message).toBe('The request is not understood: sku\n  - sku must be a string');
});

test('a refused key is told with what to do, and never shown', async () => {
  answers = [
    { status: 401, body: { code: 'unauthorized', title: 'An API key is needed', detail: 'unknown' } },
  ];
  const failure = await new HostClient({ url, apiKey: 'secret-key' })
    .get('/v1/stock')
    .catch((error: Error) => error.message);
  expect(failure).toMatch(/ONHAND_API_KEY/);
  expect(failure).not.toContain('secret-key');
});

test('a host that is not there is named with how to start one', async () => {
  await new Promise((resolve) => server.close(resolve));
  const failure: unknown = await new HostClient({ url, attempts: 2 })
    .get('/')
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HostUnreachableError);
  expect((failure as Error).message).toContain(`No host answers at ${url} (ECONNREFUSED)`);
});

test('a list is read page by page', async () => {
  answers = [
    { status: 200, body: { items: [1, 2], nextCursor: 'next' } },
    { status: 200, body: { items: [3] } },
  ];
  const items: number[] = [];
  for await (const item of new HostClient({ url }).items<number>('/v1/stock', 2)) items.push(item);
  expect(items).toEqual([1, 2, 3]);
  expect(asked.map((request) => request.url)).toEqual(['/v1/stock?limit=2', '/v1/stock?limit=2&cursor=next']);
});
