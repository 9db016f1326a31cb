import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ADMIN_KEY } from '../support/host';
import type { ProblemAnswer } from '../support/host-client';
import { countRows } from '../support/row-counts';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

const JSON_TYPE = { 'content-type': 'application/json' };
const cursor = (text: string) => Buffer.from(text).toString('base64url');

/** A body that reaches no field. */
interface BadBody {
  name: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
  status: number;
  code: string;
}

const nested = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000);
const INVALID = { status: 400, code: 'invalid-request' };
const UNSUPPORTED = { status: 415, code: 'unsupported-media-type' };
const TOO_LARGE = { status: 413, code: 'payload-too-large' };

const BODIES: BadBody[] = [
  { name: 'cut off', body: '{"sku":', ...INVALID },
  { name: 'of nothing but spaces', body: '   ', ...INVALID },
  { name: 'with NaN', body: '{"sku":"NEW","quantity":NaN}', ...INVALID },
  { name: 'with a comma too many', body: '{"sku":"NEW",}', ...INVALID },
  { name: 'in single quotes', body: "{'sku':'NEW'}", ...INVALID },
  { name: 'that is null', body: 'null', ...INVALID },
  { name: 'that is a number', body: '1', ...INVALID },
  { name: 'that is a text', body: '"NEW"', ...INVALID },
  { name: 'nested 100,000 lists deep', body: nested('[', ']'), ...INVALID },
  {
    name: 'nested 100,000 objects deep',
    body: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    ...INVALID,
  },
  { name: 'with __proto__', body: '{"sku":"NEW","__proto__":{"admin":true}}', ...INVALID },
  { name: 'with constructor', body: '{"sku":"NEW","constructor":{"prototype":{"admin":true}}}', ...INVALID },
  { name: 'with __proto__ inside', body: '{"sku":"NEW","tags":[{"__proto__":{}}]}', ...INVALID },
  { name: 'in bytes that are no UTF-8', body: Buffer.from('{"sku":"NEW \xff"}', 'latin1'), ...INVALID },
  { name: 'cut within a character', body: Buffer.from('{"sku":"NEW €"}').subarray(0, 13), ...INVALID },
  { name: 'of 5 MB', body: JSON.stringify({ sku: 'x'.repeat(5_000_000) }), ...TOO_LARGE },
  {
    name: 'of 5 MB that were gzipped',
    body: gzipSync(`{"sku":"NEW"${' '.repeat(5_000_000)}}`),
    headers: { 'content-encoding': 'gzip' },
    ...TOO_LARGE,
  },
  {
    name: 'that says gzip and is not',
    body: '{"sku":"NEW"}',
    headers: { 'content-encoding': 'gzip' },
    ...INVALID,
  },
  {
    name: 'in an encoding nobody knows',
    body: '{"sku":"NEW"}',
    headers: { 'content-encoding': 'rot13' },
    ...UNSUPPORTED,
  },
  {
    name: 'in Latin-1',
    body: '{"sku":"NEW"}',
    headers: { 'content-type': 'application/json; charset=latin1' },
    ...UNSUPPORTED,
  },
  { name: 'of plain text', body: '{"sku":"NEW"}', headers: { 'content-type': 'text/plain' }, ...UNSUPPORTED },
  {
    name: 'of a form',
    body: 'sku=NEW',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    ...UNSUPPORTED,
  },
  { name: 'of XML', body: '<sku>NEW</sku>', headers: { 'content-type': 'application/xml' }, ...UNSUPPORTED },
  {
    name: 'without a type',
    body: Buffer.from('{"sku":"NEW"}'),
    headers: { 'content-type': '' },
    ...UNSUPPORTED,
  },
];

const WRITES = [
  '/v1/skus',
  '/v1/locations',
  '/v1/events',
  '/v1/reservations',
  '/v1/reservations/:id/confirm',
  '/v1/reservations/:id/release',
  '/v1/reservations/:id/fulfil',
  '/v1/keys',
  '/v1/ledger/verify',
  '/v1/channels/shop/reconcile',
];

describe('a request that is not what HTTP and JSON say', () => {
  let host: ShopHost;
  let reservationId: string;
  let before: Record<string, number>;

  beforeAll(async () => {
    host = await startShopHost({ shows: ['A'], shop: { listings: listingsCsv([['A', 'A', 1]]) } });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 100 });
    const { body } = await host.api.post<{ id: string }>('/v1/reservations', {
      lines: [{ sku: 'A', quantity: 5 }],
    });
    reservationId = body.id;
    await settled();
  });

  beforeEach(async () => {
    before = await countRows(host.dataSource);
  });

  afterAll(() => host.close());

  /** Until the shop shows what is there, so that no row comes from what was done before. */
  async function settled(): Promise<void> {
    for (;;) {
      const { body } = await host.api.get<{ items: { dirty: number }[] }>('/v1/channels');
      if (body.items[0]!.dirty === 0) return;
    }
  }

  const address = (path: string) => path.replace(':id', reservationId);

  test.each(BODIES)(
    'a body $name is refused everywhere and writes nothing',
    async ({ body, headers, status, code }) => {
      for (const path of WRITES) {
        const answer = await host.api.send<ProblemAnswer>('POST', address(path), {
          headers: { ...JSON_TYPE, ...headers },
          body,
        });
        const answered = { path, status: answer.status, type: answer.body.type };
        expect(answered).toEqual({ path, status, type: `urn:onhand:problem:${code}` });
        expect(answer.headers.get('content-type')).toMatch('application/problem+json');
        expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
      }
      expect(await countRows(host.dataSource)).toEqual(before);
    },
  );

  test('no body where one is needed names what is missing', async () => {
    for (const [path, field] of [
      ['/v1/skus', 'sku'],
      ['/v1/locations', 'code'],
      ['/v1/events', 'type'],
      ['/v1/reservations', 'lines'],
      ['/v1/keys', 'name'],
    ] as const) {
      for (const body of [undefined, '']) {
        const answer = await host.api.send<ProblemAnswer>('POST', path, { headers: JSON_TYPE, body });
        expect(answer.status).toBe(400);
        expect(answer.body.errors?.map((error) => error.field)).toContain(field);
      }
    }
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('of a key that is there twice the last one counts, as everywhere in JSON', async () => {
    const body = '{"type":"RESTOCK","sku":"NONE","sku":"A","quantity":-5,"quantity":0}';
    const answer = await host.api.send<ProblemAnswer>('POST', '/v1/events', { headers: JSON_TYPE, body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'quantity' }] } });
  });

  test('a body that was gzipped, and one that begins with a byte order mark, are read', async () => {
    const sku = JSON.stringify({ sku: 'A', name: 'gzipped' });
    const zipped = await host.api.send('POST', '/v1/skus', {
      headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
      body: gzipSync(sku),
    });
    expect(zipped).toMatchObject({ status: 201, body: { name: 'gzipped', created: false } });
    const marked = await host.api.send('POST', '/v1/skus', { headers: JSON_TYPE, body: `\ufeff${sku}` });
    expect(marked).toMatchObject({ status: 201, body: { created: false } });
  });

  const LISTS = [
    '/v1/skus',
    '/v1/stock',
    '/v1/stock/A/events',
    '/v1/shortfalls',
    '/v1/parked/webhooks',
    '/v1/parked/lines',
    '/v1/channels/shop/listings',
    '/v1/channels/shop/drifts',
    '/v1/channels/shop/reconciliations',
    '/v1/listings/1/pushes',
  ];

  test.each(LISTS)('%s takes whole limits from 1 to 500 and nothing else', async (path) => {
    for (const limit of [
      '0',
      '-1',
      '501',
      '1.5',
      'abc',
      '',
      'NaN',
      'Infinity',
      'true',
      '1&limit=2',
      '1%0d%0a2x',
    ]) {
      const { status, body } = await host.api.get<ProblemAnswer>(`${path}?limit=${limit}`);
      expect({ limit, status }).toEqual({ limit, status: 400 });
      expect(body.errors?.[0]).toMatchObject({ field: 'limit' });
    }
    for (const limit of ['1', '500']) expect((await host.api.get(`${path}?limit=${limit}`)).status).toBe(200);
  });

  test.each(LISTS)('%s takes no cursor that it did not give', async (path) => {
    for (const given of [
      '',
      '!!',
      'abc',
      cursor('-1'),
      cursor('1.5'),
      cursor('1e3'),
      cursor(''),
      cursor('1 OR 1=1'),
      cursor('1\0'),
      cursor('9'.repeat(16)),
      'x'.repeat(201),
      'MQ&cursor=MQ',
    ]) {
      const { status, body } = await host.api.get<ProblemAnswer>(`${path}?cursor=${given}`);
      expect({ given, status }).toEqual({ given, status: 400 });
      expect(body.errors?.[0]).toMatchObject({ field: 'cursor' });
    }
    const far = await host.api.get(`${path}?cursor=${cursor('9'.repeat(15))}`);
    expect([200, 400]).toContain(far.status);
  });

  test.each([...LISTS, '/v1/stock/A', '/v1/availability?sku=A'])(
    '%s takes no parameter that it does not know',
    async (path) => {
      for (const name of ['unknown', 'Limit', 'limit[]', 'limit[a]', '__proto__[a]']) {
        const { status, body } = await host.api.get<ProblemAnswer>(
          `${path}${path.includes('?') ? '&' : '?'}${name}=1`,
        );
        expect({ name, status }).toEqual({ name, status: 400 });
        expect(body.errors?.[0]).toMatchObject({ field: name });
      }
    },
  );

  test.each(['asOf', 'knownAt'])('the moment %s is a whole time with its offset', async (name) => {
    for (const time of [
      '',
      'now',
      '0',
      '2024-01-01',
      '2024-01-01T00:00:00',
      '99999-01-01T00:00:00Z',
      '2024-02-31T00:00:00Z',
      '2024-W05-3T08:00:00Z',
      '2024-335T08:00:00Z',
      '20240101T000000Z',
      '2024-01-01T00Z',
      '2024-01-01T00:00:00,5Z',
      '2024-01-01T00:00:00Z%0d%0a',
      `2024-01-01T00:00:00Z&${name}=2024-01-01T00:00:00Z`,
    ]) {
      const { status, body } = await host.api.get<ProblemAnswer>(`/v1/stock/A?${name}=${time}`);
      expect({ time, status }).toEqual({ time, status: 400 });
      expect(body.errors?.[0]).toMatchObject({ field: name });
    }
  });

  test.each([
    ['/v1/stock/A?asOf=2024-01-01T00:00:00Z&knownAt=2024-01-01T00:00:00Z', 400, 'knownAt'],
    ['/v1/shortfalls?state=closed', 400, 'state'],
    ['/v1/shortfalls?state=', 400, 'state'],
    ['/v1/availability', 400, 'sku'],
    ['/v1/availability?sku=', 400, 'sku'],
    [`/v1/availability?sku=${Array(201).fill('A').join()}`, 400, 'sku'],
    [`/v1/availability?sku=${'A'.repeat(14_000)}${'%41'.repeat(10)}&sku=A`, 400, 'sku'],
    ['/v1/availability?sku=A&channel=', 400, 'channel'],
    ['/v1/availability?sku=A%0d%0aB', 400, 'sku'],
    [`/v1/stock?sku=${'A'.repeat(10_001)}`, 400, 'sku'],
    ['/v1/stock?sku=A%00', 400, 'url'],
    ['/v1/stock/A%00', 400, 'url'],
    ['/v1/stock/%00/events', 400, 'url'],
    ['/webhooks/shop%00', 400, 'url'],
    ['/webhooks/shop/%00', 400, 'url'],
    ['/v1/channels/shop%00/listings', 400, 'url'],
    ['/v1/stock/%ff', 400, undefined],
    ['/v1/stock/%E0%A4%A', 400, undefined],
    ['/v1/stock/%C0%80', 400, undefined],
    ['/v1/stock/%', 400, undefined],
    [`/v1/stock/${'x'.repeat(10_000)}`, 404, undefined],
    ['/v1/stock/A%0d%0aSet-Cookie:x', 404, undefined],
    ['/v1/stock/__proto__', 404, undefined],
    ['/v1/stock/..%2f..%2fetc%2fpasswd', 404, undefined],
    ['/v1/channels/__proto__/listings', 404, undefined],
    ['/v1/channels/SHOP/listings', 404, undefined],
    ['/v1/listings/0/waterfall', 404, undefined],
    ['/v1/listings/-1/pushes', 404, undefined],
    ['/v1/listings/1.5/pushes', 404, undefined],
    ['/v1/listings/1e0/waterfall', 404, undefined],
    ['/v1/listings/abc/waterfall', 404, undefined],
    ['/v1/listings/2147483648/pushes', 404, undefined],
    ['/v1/listings/99999999999999999999/pushes', 404, undefined],
    ['/v1/reservations/1', 404, undefined],
    ['/v1/reservations/00000000-0000-0000-0000-00000000000g', 404, undefined],
    ["/v1/reservations/';DROP TABLE ledger;--", 404, undefined],
  ])('%s answers %i', async (path, status, field) => {
    const answer = await host.api.get<ProblemAnswer>(path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(answer.headers.get('set-cookie')).toBeNull();
    if (field !== undefined) expect(answer.body.errors?.map((error) => error.field)).toContain(field);
  });

  test.each([
    'x',
    '1',
    '00000000-0000-0000-0000-00000000000g',
    '../keys',
    '00000000-0000-0000-0000-000000000000',
  ])('there is no key %s to revoke', async (id) => {
    const answer = await host.api.delete(`/v1/keys/${encodeURIComponent(id)}`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  test.each(['PUT', 'PATCH', 'DELETE'])('%s of what is only read or posted is not found', async (method) => {
    for (const path of ['/v1/skus', '/v1/events', '/v1/stock/A', '/v1/ledger', '/v1/locations']) {
      expect((await host.api.send(method, path, { headers: JSON_TYPE, body: '{}' })).status).toBe(404);
    }
    expect(await countRows(host.dataSource)).toEqual(before);
  });

  test('a webhook for a channel that is not there is not found, whatever its body', async () => {
    for (const channel of ['none', '__proto__', 'constructor', 'Shop']) {
      const answer = await host.api
        .withKey(undefined)
        .send('POST', `/webhooks/${channel}`, { body: Buffer.from([0, 255]) });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
    }
  });

  /** Sends bytes that no HTTP client would, and resolves with what comes back until the connection ends. */
  function raw(text: string): Promise<string> {
    const { hostname, port } = new URL(host.url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let answer = '';
      socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
      socket.on('data', (chunk) => (answer += chunk.toString()));
      socket.on('error', reject);
      socket.on('close', () => resolve(answer));
    });
  }

  test.each([
    ['a NUL in the address', 'GET /v1/stock/A\0 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a header that is none', 'GET /health/live HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n', 400],
    ['a NUL in a header', 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n', 400],
    [
      'two lengths',
      'POST /v1/skus HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      400,
    ],
    [
      'a length and chunks',
      'POST /v1/skus HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'a chunk that is none',
      'POST /v1/skus HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
      400,
    ],
    ['an address of 20 kB', `GET /v1/stock/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['no host', 'GET /health/live HTTP/1.1\r\n\r\n', 400],
    ['what is no HTTP', 'HELO shop\r\n\r\n', 400],
  ])(
    'a connection that sends %s is answered and ended, and the host goes on',
    async (_name, text, status) => {
      expect(await raw(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect((await host.api.get('/health/ready')).status).toBe(200);
      expect(await countRows(host.dataSource)).toEqual(before);
    },
  );

  test('a body that never arrives whole writes nothing', async () => {
    const { hostname, port } = new URL(host.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /v1/skus HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_KEY}\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"sku":"CUT"}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    expect((await host.api.get('/health/ready')).status).toBe(200);
    expect(await countRows(host.dataSource)).toEqual(before);
  });
});
