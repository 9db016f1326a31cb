import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Outage, SimulatedCall, SimulatorFaults } from '../simulator';
import { CallLimit, type CallRate } from './call-limit';
import type { FaultDice } from './fault-dice';

/** A feed of the largest size that a marketplace takes, 10 MiB, fits. */
const MAX_BODY_BYTES = 12 * 1024 * 1024;

/** A call of the channel's API, as a simulator's routes see it. */
export interface SimulatedRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
  /** When it came, in ms. */
  at: number;
  /** Set on a lie: answer a push as if it had been applied, and apply nothing. */
  pretend: boolean;
}

/** `body` is sent as JSON, `text` as it is; `content-type` is set by which of them is there, unless told. */
export interface SimulatedReply {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** Bytes for what is no text, such as a document that is sent packed. */
  text?: string | Buffer;
}

/** The part of a simulated API that is particular to its channel. */
export interface SimulatedApi {
  answer(request: SimulatedRequest): SimulatedReply | Promise<SimulatedReply>;
  throttled(retryAfter: string | null): SimulatedReply;
  unavailable(): SimulatedReply;
}

/** A channel's API on a local port: limit, faults, outages and the log of calls around its routes. */
export class SimulatorServer {
  readonly calls: SimulatedCall[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly limit: CallLimit | undefined;
  private outage: Outage | null = null;

  constructor(
    private readonly api: SimulatedApi,
    private readonly dice: FaultDice,
    private readonly faults: () => SimulatorFaults,
    limit?: CallRate,
  ) {
    this.limit = limit && new CallLimit(limit);
    this.server = createServer((request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
    this.server.on('connection', (socket) => this.accept(socket));
  }

  /** Answers where it listens, such as `http://127.0.0.1:41234`. Rejects when the port is taken. */
  listen(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => {
        const address = this.server.address();
        resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`);
      });
    });
  }

  setOutage(outage: Outage | null): void {
    this.outage = outage;
    if (outage === 'unreachable') for (const socket of this.sockets) socket.destroy();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      // Callers keep their connections open; waiting for them would take as long as they like.
      this.server.closeAllConnections();
    });
  }

  private accept(socket: Socket): void {
    if (this.outage === 'unreachable') {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const body = await readBody(request);
    const { lie, loseAnswer, slow, slowMs } = this.faults();
    const refusal = this.refusal(at);
    const reply =
      refusal ?? (await this.api.answer({ ...requestOf(request, body), at, pretend: this.dice.draw(lie) }));
    const isLost = !refusal && this.dice.draw(loseAnswer);
    const status = isLost ? 0 : reply.status;
    this.calls.push({ at, method: request.method ?? 'GET', path: request.url ?? '/', status });
    if (this.dice.draw(slow)) await delay(slowMs);
    if (isLost) request.socket.destroy();
    else send(response, reply);
  }

  /** What is answered before anything is applied; undefined when the call may go on. */
  private refusal(at: number): SimulatedReply | undefined {
    const { fail, throttle, retryAfter, html } = this.faults();
    if (this.outage !== null) return this.api.unavailable();
    const overMs = this.limit?.refuseForMs(at) ?? 0;
    if (overMs > 0) return this.api.throttled(String(Math.ceil(overMs / 1000)));
    if (this.dice.draw(throttle)) return this.api.throttled(retryAfter);
    if (this.dice.draw(fail)) return this.api.unavailable();
    if (!this.dice.draw(html)) return undefined;
    const page = '<!doctype html><title>Welcome</title>';
    return { status: 200, headers: { 'content-type': 'text/html' }, text: page };
  }
}

/**
 * JSON as marketplaces write it that give 64-bit ids as bare numbers: a text of 16 to 19 digits loses its
 * quotes. Whoever reads that with `JSON.parse` rounds the id.
 */
export function jsonWithBareIds(value: unknown): string {
  return JSON.stringify(value).replace(/([[:,])"([1-9]\d{15,18})"(?=[,\]}])/g, '$1$2');
}

function requestOf(request: IncomingMessage, body: Buffer): Omit<SimulatedRequest, 'at' | 'pretend'> {
  const url = new URL(request.url ?? '/', 'http://simulator');
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body,
  };
}

function send(response: ServerResponse, { status, headers, body, text }: SimulatedReply): void {
  response.statusCode = status;
  response.setHeader('content-type', text === undefined ? 'application/json' : 'text/plain');
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  response.end(text ?? (body === undefined ? '' : JSON.stringify(body)));
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

/** Does not keep the process: a test that closed the simulator need not wait for answers nobody reads. */
function delay(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
