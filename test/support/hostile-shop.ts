import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** How the shop answers every call. */
export type Hostility =
  | 'honest'
  | 'refuses'
  | 'resets'
  | 'is silent'
  | 'trickles'
  | 'never ends its headers'
  | 'never ends its body'
  | 'packs a gigabyte'
  | 'nests without end'
  | 'has wrong types'
  | 'is a web page'
  | 'redirects'
  | 'applies and hangs up'
  | 'pages without end';

const MEGABYTE = 1024 * 1024;
const GIGABYTE = 1024 * MEGABYTE;
/** Members of a gzip file follow one another: a gigabyte of spaces in about one megabyte. */
const PACKED = gzipSync(Buffer.alloc(16 * MEGABYTE, ' '));
const WRONG = [
  'null',
  '42',
  '"text"',
  '[]',
  '{}',
  '{"results":"x","items":7}',
  '{"results":[null,1,{}],"items":[null,1,{}]}',
];

/**
 * Stands in front of a simulated shop: what it is told to do to every call, it does, and otherwise passes
 * calls and answers on. It counts its connections and what it was able to send.
 */
export class HostileShop {
  hostility: Hostility = 'honest';
  calls = 0;
  sentBytes = 0;
  mostOpen = 0;
  private readonly open = new Set<Socket>();
  private server: Server;

  private constructor(
    private readonly behind: string,
    private readonly elsewhere: string,
  ) {
    this.server = this.newServer();
  }

  /** `behind` is the honest shop; `elsewhere` is where a redirect leads. */
  static async start(behind: string, elsewhere: string): Promise<HostileShop> {
    const shop = new HostileShop(behind, elsewhere);
    await shop.listen(0);
    return shop;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get openConnections(): number {
    return this.open.size;
  }

  /** With `refuses` nobody listens while `act` runs; the address stays the same. */
  async being<T>(hostility: Hostility, act: () => Promise<T>): Promise<T> {
    const { port } = this;
    this.calls = 0;
    this.sentBytes = 0;
    this.hostility = hostility;
    if (hostility === 'refuses') await this.close();
    try {
      return await act();
    } finally {
      this.hostility = 'honest';
      if (hostility === 'refuses') {
        this.server = this.newServer();
        await this.listen(port);
      }
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const socket of this.open) socket.destroy();
    });
  }

  private newServer(): Server {
    const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
      this.calls += 1;
      void bodyOf(incoming).then((body) => this.answer(incoming, body, response));
    });
    return server.on('connection', (socket: Socket) => {
      this.open.add(socket);
      this.mostOpen = Math.max(this.mostOpen, this.open.size);
      socket.on('error', () => undefined);
      socket.on('close', () => this.open.delete(socket));
    });
  }

  private listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', resolve);
    });
  }

  private answer(incoming: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { socket } = incoming;
    const json = { 'content-type': 'application/json' };
    switch (this.hostility) {
      case 'honest':
      case 'refuses':
        return this.passOn(incoming, body, (status, text) => response.writeHead(status, json).end(text));
      case 'applies and hangs up':
        return this.passOn(incoming, body, () => socket.destroy());
      case 'resets':
        return void socket.resetAndDestroy();
      case 'is silent':
        return;
      case 'trickles':
        return this.drip(response.writeHead(200, json), ' ');
      case 'never ends its headers':
        socket.write('HTTP/1.1 200 OK\r\n');
        return this.pour(socket, `x: ${'y'.repeat(1000)}\r\n`);
      case 'never ends its body':
        return this.pour(response.writeHead(200, json), ' '.repeat(65_536));
      case 'packs a gigabyte':
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' });
        for (let members = GIGABYTE / (16 * MEGABYTE); members > 0; members -= 1) response.write(PACKED);
        return void response.end();
      case 'nests without end':
        return void response.writeHead(200, json).end('['.repeat(2 * MEGABYTE));
      case 'has wrong types':
        return void response.writeHead(200, json).end(WRONG[this.calls % WRONG.length]);
      case 'is a web page':
        return void response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Sign in</title>');
      case 'redirects':
        return void response.writeHead(307, { location: this.elsewhere }).end();
      case 'pages without end':
        return void response.writeHead(200, json).end(this.anotherPage());
    }
  }

  private anotherPage(): string {
    const items = Array.from({ length: 100 }, (_, row) => ({ sku: `X-${this.calls}-${row}`, quantity: 1 }));
    return JSON.stringify({ items, next_cursor: `${this.calls}-${'c'.repeat(1_000)}` });
  }

  private drip(target: ServerResponse, text: string): void {
    const timer = setInterval(() => target.write(text), 50);
    target.on('close', () => clearInterval(timer));
  }

  /** Up to a gigabyte, as fast as it is taken. */
  private pour(target: Socket | ServerResponse, block: string): void {
    const more = () => {
      while (!target.destroyed && this.sentBytes < GIGABYTE && target.write(block))
        this.sentBytes += block.length;
    };
    target.on('drain', more);
    more();
  }

  private passOn(
    incoming: IncomingMessage,
    body: Buffer,
    answer: (status: number, text: string) => void,
  ): void {
    const { method, url, headers } = incoming;
    const onward = request(`${this.behind}${url}`, { method, headers }, (reply) => {
      void bodyOf(reply).then((text) => answer(reply.statusCode ?? 500, text.toString()));
    });
    onward.on('error', () => incoming.socket.destroy());
    onward.end(body);
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
