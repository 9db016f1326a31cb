import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One pushed quantity: when its request arrived, in ms since 1970, and what it said. */
export interface Received {
  at: number;
  quantity: number;
}

/** Stands for several channels that answer at once, and notes when each request arrived. */
export class PushReceiver {
  /** By `channel sku`. */
  readonly received = new Map<string, Received[]>();
  /** Rows received so far. */
  rows = 0;
  /** Arrivals at `/floor`, by the number in its body. */
  readonly floor = new Map<number, number>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<PushReceiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new PushReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      const at = performance.timeOrigin + performance.now();
      // A probe asks whether it is there, and reads a page of nothing.
      if (request.method === 'GET') response.end('{"items":[]}');
      else void receiver.take(request, at).then(() => response.end('{}'));
    });
    return receiver;
  }

  forget(): void {
    this.received.clear();
    this.rows = 0;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, at: number): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
    const [, channel] = request.url!.split('/');
    if (channel === 'floor') {
      this.floor.set((body as { nr: number }).nr, at);
      return;
    }
    for (const { sku, quantity } of body as { sku: string; quantity: number }[]) {
      const key = `${channel} ${sku}`;
      if (!this.received.has(key)) this.received.set(key, []);
      this.received.get(key)!.push({ at, quantity });
      this.rows++;
    }
  }
}
