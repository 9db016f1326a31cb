import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { RateLimit } from './contract';
import { isChannelError, type ChannelError } from './errors';
import { createChannelHttp, type ChannelHttpOptions } from './fetch-http';
import type { ChannelHttp, ChannelHttpRequest } from './http-client';
import { createRedactor } from './redaction';
import { parseRetryAfter } from './retry-after';

const CANARY = 'canary-7f/3 a+"é"=';
const NOW = new Date('2025-06-01T12:00:00.000Z');
const API: RateLimit = { name: 'api', perSecond: 10, burst: 5 };

let server: Server | undefined;
let logged: string[] = [];
let sleptMs: number[] = [];

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  logged = [];
  sleptMs = [];
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The clock moves when someone sleeps; sockets keep their own, real time. */
function httpWith(options: Partial<ChannelHttpOptions> = {}): ChannelHttp {
  let nowMs = NOW.getTime();
  const note = (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  return createChannelHttp({
    limits: [],
    clock: {
      now: () => new Date(nowMs),
      sleep: async (delayMs) => {
        sleptMs.push(delayMs);
        nowMs += delayMs;
      },
    },
    log: { debug: note, info: note, warn: note, error: note },
    ...options,
  });
}

async function failureOf(http: ChannelHttp, request: Partial<ChannelHttpRequest>): Promise<ChannelError> {
  try {
    const response = await http.request({ method: 'GET', url: '', ...request });
    throw new Error(`answered ${response.status}`);
  } catch (error) {
    if (isChannelError(error)) return error;
    throw error;
  }
}

describe('parseRetryAfter', () => {
  it.each([
    ['3', 3_000],
    [' 3 ', 3_000],
    ['0', 0],
    ['1.5', 1_500],
    ['1000000000', 900_000],
    ['9'.repeat(400), 900_000],
    ['Sun, 01 Jun 2025 12:00:30 GMT', 30_000],
    ['Sunday, 01-Jun-25 12:00:30 GMT', 30_000],
    ['Sun Jun  1 12:00:30 2025', 30_000],
    ['2025-06-01T12:00:30Z', 30_000],
    ['2025-06-01T12:00:30', 30_000],
    ['Sun, 01 Jun 2025 11:00:00 GMT', 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 900_000],
    ['-5', undefined],
    ['-0', undefined],
    ['', undefined],
    [null, undefined],
    ['soon', undefined],
    ['Infinity', undefined],
    ['NaN', undefined],
    ['1e9', undefined],
    ['3, 5', undefined],
    ['Sun, 99 Foo 2025', undefined],
  ])('%j asks for %s ms', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });
});

it('a date without a zone is read as GMT, whatever zone the host is in', () => {
  const parse = jest.spyOn(Date, 'parse');
  parseRetryAfter('Sun Jun  1 12:00:30 2025', NOW);
  parseRetryAfter('2025-06-01T12:00:30', NOW);
  const parsed = parse.mock.calls.map(([text]) => text);
  parse.mockRestore();
  expect(parsed).toEqual(['Sun Jun  1 12:00:30 2025 GMT', '2025-06-01T12:00:30Z']);
});

describe('isChannelError', () => {
  it('an error is told by its shape, whichever copy of the class made it', () => {
    const foreign = { name: 'ChannelError', message: 'm', code: 'channel-unavailable', retryable: true };
    expect(isChannelError(foreign)).toBe(true);
    const system = Object.assign(new Error('m'), { code: 'ECONNRESET' });
    for (const other of [system, new Error('m'), null, undefined, 'text', {}]) {
      expect(isChannelError(other)).toBe(false);
    }
  });
});

describe('statuses', () => {
  it.each([200, 201, 204, 207, 304, 400, 401, 404, 422])('%s is answered', async (status) => {
    const url = await serve((_, response) => response.writeHead(status, { 'X-Shop': 'yes' }).end());
    expect(await httpWith().request({ method: 'GET', url })).toMatchObject({
      status,
      headers: { 'x-shop': 'yes' },
    });
  });

  it.each([
    [429, { 'retry-after': '7' }, 'channel-throttled', 7_000],
    [429, {}, 'channel-throttled', undefined],
    [503, { 'retry-after': '7' }, 'channel-unavailable', 7_000],
    [500, {}, 'channel-unavailable', undefined],
  ])('%s with %j is %s', async (status, headers, code, retryAfterMs) => {
    const url = await serve((_, response) => response.writeHead(status, headers).end('details'));
    expect(await failureOf(httpWith(), { url })).toMatchObject({ code, retryAfterMs, retryable: true });
  });

  it.each([301, 302, 303, 307, 308])('a %s is not followed', async (status) => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(status, { location: '/inward' }).end();
    });
    const error = await failureOf(httpWith(), { url: `${url}/here` });
    expect(error).toMatchObject({ code: 'channel-protocol' });
    expect(error.message).toContain('redirect not followed');
    expect(seen).toEqual(['/here']);
  });

  it('no listener, and a connection reset, are unavailability', async () => {
    const url = await serve((request) => request.socket.resetAndDestroy());
    expect(await failureOf(httpWith(), { url })).toMatchObject({ code: 'channel-unavailable' });
    server?.close();
    server?.closeAllConnections();
    const error = await failureOf(httpWith(), { url });
    expect(error).toMatchObject({ code: 'channel-unavailable', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
  });
});

describe('time and size', () => {
  it('an answer refused by its status lets go of its socket', async () => {
    let close: () => void;
    const closed = new Promise<void>((resolve) => (close = resolve));
    const url = await serve((request, response) => {
      request.socket.on('close', () => close());
      response.writeHead(500).write('a body that never ends');
    });
    await failureOf(httpWith(), { url });
    await closed;
  });

  it('a time-out before the answer closes the socket', async () => {
    const closed = new Promise<void>((resolve) => {
      void serve((request) => request.socket.on('close', () => resolve())).then(async (url) => {
        const error = await failureOf(httpWith({ timeoutMs: 100 }), { url });
        expect(error).toMatchObject({ code: 'channel-unavailable' });
        expect(error.message).toContain('0.1 s');
      });
    });
    await closed;
  });

  it('a time-out covers a body that trickles, and closes the socket', async () => {
    let close: () => void;
    const closed = new Promise<void>((resolve) => (close = resolve));
    const url = await serve((request, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      request.socket.on('close', () => (clearInterval(timer), close()));
    });
    const error = await failureOf(httpWith(), { url, timeoutMs: 150 });
    expect(error).toMatchObject({ code: 'channel-unavailable' });
    await closed;
  });

  it('an answer of exactly the bound is read, one byte more is refused', async () => {
    const url = await serve((request, response) => response.end('x'.repeat(Number(request.url?.slice(1)))));
    const http = httpWith({ maxResponseBytes: 1_000 });
    expect((await http.request({ method: 'GET', url: `${url}/1000` })).text).toHaveLength(1_000);
    const error = await failureOf(http, { url: `${url}/1001` });
    expect(error).toMatchObject({ code: 'channel-unavailable' });
    expect(error.message).toContain('1000 bytes');
  });

  it('an endless answer is cut off while it streams', async () => {
    let sentBytes = 0;
    const url = await serve((request, response) => {
      const block = Buffer.alloc(65_536);
      const more = () => {
        while (!request.socket.destroyed && response.write(block)) sentBytes += block.length;
      };
      response.on('drain', more);
      more();
    });
    await failureOf(httpWith({ maxResponseBytes: 1_000_000 }), { url });
    expect(sentBytes).toBeLessThan(50_000_000);
  });

  it('a compressed answer is bounded by what it unpacks to', async () => {
    const packed = gzipSync(Buffer.alloc(5_000_000));
    expect(packed.length).toBeLessThan(10_000);
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
    );
    const error = await failureOf(httpWith({ maxResponseBytes: 1_000_000 }), { url });
    expect(error.message).toContain('1000000 bytes');
  });
});

describe('requests', () => {
  async function received(
    request: Partial<ChannelHttpRequest>,
  ): Promise<{ request: IncomingMessage; body: string }> {
    let resolve: (seen: { request: IncomingMessage; body: string }) => void;
    const seen = new Promise<{ request: IncomingMessage; body: string }>((done) => (resolve = done));
    const url = await serve((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      incoming.on('end', () => (response.end('{}'), resolve({ request: incoming, body })));
    });
    await httpWith().request({ method: 'POST', url, ...request });
    return seen;
  }

  it('json is sent as JSON, and a body as it is', async () => {
    const json = await received({ json: { a: 1 } });
    expect(json.body).toBe('{"a":1}');
    expect(json.request.headers).toMatchObject({
      'content-type': 'application/json',
      accept: 'application/json',
    });
    server?.closeAllConnections();
    server?.close();
    const raw = await received({ body: Buffer.from([0xff, 0x00]), headers: { 'content-type': 'image/x' } });
    expect(raw.body).toBe('\u00ff\u0000');
    expect(raw.request.headers['content-type']).toBe('image/x');
  });

  it.each([
    ['a relative URL', { url: '/api' }],
    ['a file URL', { url: 'file:///etc/passwd' }],
    ['credentials in the URL', { url: 'http://user:pass@127.0.0.1/' }],
    ['a header with a line break', { url: 'http://127.0.0.1:9/', headers: { 'x-key': 'a\r\nb: c' } }],
    ['body and json', { url: 'http://127.0.0.1:9/', method: 'POST' as const, body: 'a', json: 1 }],
    ['an undeclared limit', { url: 'http://127.0.0.1:9/', limit: 'orders' }],
  ])('%s is refused before anything is sent', async (_, request) => {
    const fetch = jest.fn();
    const error = await failureOf(httpWith({ fetch, limits: [API] }), request);
    expect(error).toMatchObject({ code: 'channel-request', retryable: false });
    expect(error.message).not.toMatch(/pass|etc|b: c/);
    expect(fetch).not.toHaveBeenCalled();
  });

  it('an answer that is not JSON is a protocol error that does not quote it', async () => {
    const html = `<p>${CANARY}</p>`;
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(html),
    );
    const response = await httpWith().request({ method: 'GET', url: `${url}/a?b` });
    expect(response.text).toBe(html);
    let failure: unknown;
    try {
      response.json();
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: 'channel-protocol' });
    expect((failure as Error).message).toMatch(/GET 127\.0\.0\.1:\d+\/a answered 200 with text\/html/);
    expect((failure as Error).message).not.toContain(CANARY);
  });

  it('an id beyond 2^53 keeps its digits', async () => {
    const url = await serve((_, response) => response.end('{"id":820982911946154508}'));
    const response = await httpWith().request({ method: 'GET', url });
    expect(response.json()).toEqual({ id: '820982911946154508' });
  });
});

describe('redaction', () => {
  it.each([429, 500, 302, 200])('no secret is in the message or the log of a %s', async (status) => {
    const url = await serve((_, response) =>
      response.writeHead(status, { 'x-echo': 'x' }).end(`<${CANARY}>`),
    );
    const secret = encodeURIComponent(CANARY);
    const token = 'a-token-nobody-registered';
    const http = httpWith({ secrets: [CANARY] });
    const request: ChannelHttpRequest = {
      method: 'POST',
      url: `${url}/${secret}/${encodeURI(CANARY)}/${token}/orders?key=${secret}#${secret}`,
      headers: { authorization: `Bearer ${token}` },
      json: { secret: CANARY },
    };
    const error = await http.request(request).then(
      (response) => {
        try {
          return response.json();
        } catch (failure) {
          return failure;
        }
      },
      (failure: unknown) => failure,
    );
    const seen = [(error as Error).message, (error as Error).stack, JSON.stringify(error), ...logged].join(
      '\n',
    );
    expect(seen).toContain('POST 127.0.0.1');
    expect(seen).toContain('/orders');
    for (const form of [CANARY, secret, encodeURI(CANARY), 'canary-7f', token, 'key='])
      expect(seen).not.toContain(form);
  });

  it('a failure whose own text quotes a header is not quoted', async () => {
    const fetch = jest
      .fn()
      .mockRejectedValue(new TypeError(`bad header ${CANARY}`, { cause: { code: CANARY } }));
    const error = await failureOf(httpWith({ fetch }), { url: 'https://shop.example/' });
    expect(error).toMatchObject({ code: 'channel-unavailable' });
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('canary');
  });

  it('a secret is found in every form it takes, and an empty one matches nothing', () => {
    const redact = createRedactor([CANARY, '', 'short', 'short-and-longer']);
    const forms = [
      CANARY,
      encodeURIComponent(CANARY),
      JSON.stringify(CANARY),
      Buffer.from(CANARY).toString('base64'),
      Buffer.from(CANARY).toString('base64url'),
      'short-and-longer',
    ];
    for (const form of forms) expect(redact(`a ${form} b`)).toMatch(/^a "?\[redacted\]"? b$/);
    expect(redact('nothing here')).toBe('nothing here');
  });
});

describe('limits', () => {
  it('calls beyond the burst wait for their token', async () => {
    const fetch = jest.fn(async () => new Response('{}'));
    const http = httpWith({ fetch, limits: [API] });
    await Promise.all(
      Array.from({ length: 8 }, () => http.request({ method: 'GET', url: 'https://shop.example/' })),
    );
    expect(sleptMs).toEqual([100, 100, 100]);
    expect(fetch).toHaveBeenCalledTimes(8);
  });

  it('each limit has a bucket of its own', async () => {
    const fetch = jest.fn(async () => new Response('{}'));
    const http = httpWith({ fetch, limits: [API, { name: 'orders', perSecond: 1, burst: 1 }] });
    await http.request({ method: 'GET', url: 'https://shop.example/', limit: 'orders' });
    await http.request({ method: 'GET', url: 'https://shop.example/' });
    expect(sleptMs).toEqual([]);
    await http.request({ method: 'GET', url: 'https://shop.example/', limit: 'orders' });
    expect(sleptMs).toEqual([1_000]);
  });

  it('after a 429 the next call waits out Retry-After', async () => {
    const answers = [new Response('', { status: 429, headers: { 'retry-after': '4' } }), new Response('{}')];
    const http = httpWith({ fetch: async () => answers.shift() as Response, limits: [API] });
    await failureOf(http, { url: 'https://shop.example/' });
    await http.request({ method: 'GET', url: 'https://shop.example/' });
    expect(sleptMs.reduce((sum, ms) => sum + ms, 0)).toBe(4_100);
  });

  it('after a 429 that asks for longer than a call may wait, the next one is throttled unsent', async () => {
    const fetch = jest.fn(
      async () => new Response('', { status: 429, headers: { 'retry-after': '1000000000' } }),
    );
    const http = httpWith({ fetch, limits: [API] });
    await failureOf(http, { url: 'https://shop.example/' });
    const error = await failureOf(http, { url: 'https://shop.example/' });
    expect(error).toMatchObject({ code: 'channel-throttled', retryAfterMs: 900_100 });
    expect(error.message).toContain('not sent');
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(sleptMs).toEqual([]);
  });

  it('after a 429 that does not say for how long, the limit stays closed for a second', async () => {
    const answers = [new Response('', { status: 429 }), new Response('{}')];
    const http = httpWith({ fetch: async () => answers.shift() as Response, limits: [API] });
    await failureOf(http, { url: 'https://shop.example/' });
    await http.request({ method: 'GET', url: 'https://shop.example/' });
    expect(sleptMs.reduce((sum, ms) => sum + ms, 0)).toBe(1_100);
  });
});
