import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { CallBreaker, CallOutcome } from './call-breaker';
import type { RateLimit } from './contract';
import {
  ChannelBreakerOpenError,
  type ChannelError,
  ChannelUnavailableError,
  isChannelError,
  isHeldBack,
} from './errors';
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

  it('a body that is no text is there byte for byte', async () => {
    const body = gzipSync('Größe');
    const url = await serve((_, response) => response.writeHead(200).end(body));
    const { bytes } = await httpWith().request({ method: 'GET', url });
    expect(bytes.equals(body)).toBe(true);
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
  /** What one token of API takes to refill, with the headroom left. */
  const TOKEN_MS = 103;

  function answering(...answers: Response[]) {
    return jest.fn(async () => answers.shift() ?? new Response('{}'));
  }

  const get = (http: ChannelHttp, request: Partial<ChannelHttpRequest> = {}) =>
    http.request({ method: 'GET', url: 'https://shop.example/', ...request });
  const sleptInAll = () => sleptMs.reduce((sum, ms) => sum + ms, 0);

  it('calls beyond the burst wait for their token', async () => {
    const fetch = answering();
    const http = httpWith({ fetch, limits: [API] });
    await Promise.all(Array.from({ length: 8 }, () => get(http)));
    expect(sleptInAll()).toBeGreaterThanOrEqual(3 * 100);
    expect(sleptInAll()).toBeLessThan(8 * TOKEN_MS);
    expect(fetch).toHaveBeenCalledTimes(8);
  });

  it('each limit is counted by itself, and a call may name several and what it costs of each', async () => {
    const orders: RateLimit = { name: 'orders', perSecond: 1, burst: 4 };
    const http = httpWith({ fetch: answering(), limits: [API, orders] });
    await get(http, { limit: ['api', 'orders'], cost: { orders: 4 } });
    for (let call = 0; call < 4; call++) await get(http);
    expect(sleptMs).toEqual([]);
    await get(http, { limit: 'orders' });
    expect(sleptInAll()).toBe(1_021);
  });

  it('what can never be paid is refused, unsent', async () => {
    const fetch = jest.fn();
    const http = httpWith({ fetch, limits: [API] });
    for (const cost of [6, -1, NaN, Infinity]) {
      const error = await failureOf(http, { url: 'https://shop.example/', cost });
      expect(error).toMatchObject({ code: 'channel-request', retryable: false });
      expect(error.message).toContain('"api"');
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  it('a quota that is used up throttles at once until its reset, unsent', async () => {
    const fetch = answering();
    const daily: RateLimit = { kind: 'daily', name: 'day', quota: 2, resetsAtUtc: '13:00' };
    const http = httpWith({ fetch, limits: [daily] });
    await get(http);
    await get(http);
    const error = await failureOf(http, { url: 'https://shop.example/' });
    // An hour, and a minute for clocks that differ.
    expect(error).toMatchObject({ code: 'channel-throttled', retryAfterMs: 3_660_000 });
    expect(error.message).toContain('quota "day"');
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(sleptMs).toEqual([]);
  });

  it('after a 429 the next call waits out Retry-After', async () => {
    const http = httpWith({
      fetch: answering(new Response('', { status: 429, headers: { 'retry-after': '4' } })),
      limits: [API],
    });
    await failureOf(http, { url: 'https://shop.example/' });
    await get(http);
    expect(sleptInAll()).toBe(4_000 + TOKEN_MS);
  });

  it('after a 429 that asks for longer than a call may wait, the next one is throttled unsent', async () => {
    const fetch = answering(new Response('', { status: 429, headers: { 'retry-after': '1000000000' } }));
    const http = httpWith({ fetch, limits: [API], maxRetryAfterMs: 60_000 });
    const refused = await failureOf(http, { url: 'https://shop.example/' });
    expect(refused).toMatchObject({ code: 'channel-throttled', retryAfterMs: 60_000 });
    const error = await failureOf(http, { url: 'https://shop.example/' });
    expect(error).toMatchObject({ code: 'channel-throttled', retryAfterMs: 60_000 + TOKEN_MS });
    expect(error.message).toContain('not sent');
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(sleptMs).toEqual([]);
  });

  it('429s that do not say for how long close the limit for ever longer, until a call is answered', async () => {
    const silent = () => new Response('', { status: 429 });
    const http = httpWith({
      fetch: answering(silent(), silent(), silent(), new Response('{}'), silent()),
      limits: [API],
    });
    const slept: number[] = [];
    for (const isRefused of [true, true, true, false, true, false]) {
      sleptMs = [];
      if (isRefused) await failureOf(http, { url: 'https://shop.example/' });
      else await get(http);
      slept.push(sleptInAll());
    }
    const closed = [0, 1_000, 2_000, 4_000, 0, 1_000];
    expect(slept.map((ms) => Math.floor(ms / 1_000) * 1_000)).toEqual(closed);
  });

  it('what an answer taught of a limit holds from then on', async () => {
    const http = httpWith({ fetch: answering(), limits: [API] });
    await get(http);
    http.learn('api', { perSecond: 1, remaining: 0 });
    await get(http);
    expect(sleptInAll()).toBe(1_021);
    expect(() => http.learn('none', { remaining: 0 })).toThrow(/declares no limit "none"; it declares api/);
  });
});

describe('a breaker', () => {
  function watched(fetch: typeof globalThis.fetch, refusal?: Error) {
    const outcomes: CallOutcome[] = [];
    const admitted: string[] = [];
    const breaker: CallBreaker = {
      admit: (call) => {
        if (refusal) throw refusal;
        admitted.push(call);
        return (outcome) => void outcomes.push(outcome);
      },
    };
    return { http: httpWith({ fetch, breaker }), outcomes, admitted };
  }

  const page = () => new Response('<html>', { headers: { 'content-type': 'text/html; charset=utf-8' } });
  const status = (code: number) => async () => new Response('{}', { status: code });

  it.each<[string, typeof globalThis.fetch, CallOutcome]>([
    ['an answer', status(200), { kind: 'answered' }],
    ['a refused row', status(422), { kind: 'answered' }],
    ['refused credentials', status(401), { kind: 'answered' }],
    ['a redirect', status(302), { kind: 'answered' }],
    ['a 429', status(429), { kind: 'throttled' }],
    ['a 503', status(503), { kind: 'unanswered', reason: expect.stringContaining('503') as string }],
    ['a page', async () => page(), { kind: 'unanswered', reason: 'answered 200 with a web page' }],
    ['a page under 404', async () => new Response('<html>', { status: 404 }), { kind: 'answered' }],
    [
      'no connection',
      async () => Promise.reject(new TypeError('fetch failed')),
      expect.objectContaining({ kind: 'unanswered' }),
    ],
  ])('is told of %s', async (_name, fetch, outcome) => {
    const { http, outcomes } = watched(fetch);
    await http.request({ method: 'GET', url: 'https://shop.example/' }).catch(() => undefined);
    expect(outcomes).toEqual([outcome]);
  });

  it('an answer that is merely too large is no sign of a channel that is away', async () => {
    const url = await serve((_, response) => response.end('x'.repeat(100)));
    const outcomes: CallOutcome[] = [];
    const breaker = { admit: () => (outcome: CallOutcome) => void outcomes.push(outcome) };
    await failureOf(httpWith({ maxResponseBytes: 10, breaker }), { url });
    expect(outcomes).toEqual([{ kind: 'answered' }]);
  });

  it('that refuses keeps the call from being sent, and from its limit', async () => {
    const fetch = jest.fn();
    const { http } = watched(fetch, new ChannelBreakerOpenError('open', 5_000));
    const error = await failureOf(http, { url: 'https://shop.example/' });
    expect(error).toMatchObject({ code: 'channel-breaker-open', retryable: true, retryAfterMs: 5_000 });
    expect(isHeldBack(error)).toBe(true);
    expect(fetch).not.toHaveBeenCalled();
  });

  it('that opens while a call waits for its turn is heeded', async () => {
    let isOpen = false;
    const fetch = jest.fn(async () => new Response('{}'));
    const breaker: CallBreaker = {
      admit: () => {
        if (isOpen) throw new ChannelBreakerOpenError('open');
        return () => undefined;
      },
    };
    const http = httpWith({ fetch, breaker, limits: [{ name: 'api', perSecond: 1, burst: 1 }] });
    const waiting = [failureOf(http, { url: 'https://a.example/' }).catch(() => undefined)];
    waiting.push(failureOf(http, { url: 'https://b.example/' }));
    isOpen = true;
    expect((await Promise.all(waiting)).every((error) => error?.code === 'channel-breaker-open')).toBe(true);
    expect(fetch).not.toHaveBeenCalled();
  });
});

test('a call that is given up before it is sent leaves its units to others', async () => {
  let nowMs = Date.UTC(2025, 0, 1);
  const beganMs = nowMs;
  let isLate = true;
  const http = createChannelHttp({
    limits: [{ name: 'points', perSecond: 0.01, burst: 2 }],
    clock: { now: () => new Date(nowMs), sleep: async (delayMs) => void (nowMs += delayMs) },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    beforeSend: () => {
      if (isLate) throw new ChannelUnavailableError('too late');
    },
    fetch: async () => new Response('{}'),
  });
  const call = () => http.request({ method: 'GET', url: 'https://shop.example/' });
  for (let late = 0; late < 5; late += 1) await expect(call()).rejects.toThrow('too late');
  isLate = false;
  expect((await call()).status).toBe(200);
  expect((await call()).status).toBe(200);
  expect(nowMs - beganMs).toBeLessThan(1_000);
});
