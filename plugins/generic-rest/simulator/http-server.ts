import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { SimulatorFaults, SimulatorOptions } from 'onhand/channel-api';
import { FaultDice, NO_FAULTS, ShopLimit } from './faults';
import type { Shop } from './shop';
import { answer, type ShopAnswer } from './wire';

const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** The shop's API on a local port: authentication, limit, faults and the log of calls around its routes. */
export class ShopServer {
  readonly calls: { at: number; method: string; path: string; status: number }[] = [];
  faults: SimulatorFaults = { ...NO_FAULTS };
  private readonly server: Server;
  private readonly dice: FaultDice;
  private readonly limit: ShopLimit;

  constructor(
    private readonly shop: Shop,
    private readonly token: string,
    options: Pick<SimulatorOptions, 'seed' | 'limit'>,
  ) {
    this.dice = new FaultDice(options.seed ?? 1);
    this.limit = new ShopLimit(options.limit);
    this.server = createServer((request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
  }

  /** Answers where it listens, such as `http://127.0.0.1:41234`. */
  listen(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => {
        const address = this.server.address();
        resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      // Callers keep their connections open; waiting for them would take as long as they like.
      this.server.closeAllConnections();
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const body = await readBody(request);
    const early = this.refusal(request, at);
    const result = early ?? this.apply(request, body);
    const dropped = !early && this.dice.draw(this.faults.lie);
    this.log(request, at, dropped ? 0 : result.status);
    if (this.faults.delayMs > 0) await delay(this.faults.delayMs);
    if (dropped) request.socket.destroy();
    else send(response, result);
  }

  /** Every refusal before anything is applied; undefined when the call may go on. */
  private refusal(request: IncomingMessage, at: number): Reply | undefined {
    const { fail, throttle, retryAfter, html } = this.faults;
    const overMs = this.limit.refuseForMs(at);
    if (overMs > 0) return throttled(String(Math.ceil(overMs / 1000)));
    if (this.dice.draw(throttle)) return throttled(retryAfter);
    if (this.dice.draw(fail))
      return { status: 503, body: { error: { code: 'unavailable', message: 'Try later.' } } };
    if (this.dice.draw(html))
      return { status: 200, body: undefined, html: '<!doctype html><title>Welcome</title>' };
    if (sameText(request.headers.authorization ?? '', `Bearer ${this.token}`)) return undefined;
    return { status: 401, body: { error: { code: 'unauthorized', message: 'The token is not valid.' } } };
  }

  private apply(request: IncomingMessage, body: Buffer): Reply {
    const url = new URL(request.url ?? '/', 'http://shop');
    let json: unknown;
    try {
      json = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
    } catch {
      return { status: 400, body: { error: { code: 'invalid-json', message: 'The body is not JSON.' } } };
    }
    const key = request.headers['idempotency-key'];
    return answer(this.shop, {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body: json,
      ...(typeof key === 'string' ? { idempotencyKey: key } : {}),
    });
  }

  private log(request: IncomingMessage, at: number, status: number): void {
    this.calls.push({ at, method: request.method ?? 'GET', path: request.url ?? '/', status });
  }
}

interface Reply extends ShopAnswer {
  html?: string;
  retryAfter?: string | null;
}

function throttled(retryAfter: string | null): Reply {
  return { status: 429, body: { error: { code: 'throttled', message: 'Too many calls.' } }, retryAfter };
}

function send(response: ServerResponse, reply: Reply): void {
  if (typeof reply.retryAfter === 'string') response.setHeader('retry-after', reply.retryAfter);
  response.setHeader('content-type', reply.html === undefined ? 'application/json' : 'text/html');
  response.statusCode = reply.status;
  response.end(reply.html ?? JSON.stringify(reply.body));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function sameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Does not keep the process: a test that closed the shop need not wait for answers nobody reads. */
function delay(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
