import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A TCP server that counts what reaches it: connections, how many at once, those still open, and every byte. */
export class CountingListener {
  connections = 0;
  mostOpen = 0;
  received = Buffer.alloc(0);
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly talk: (socket: Socket, received: Buffer) => void,
  ) {
    server.on('connection', (socket) => this.accept(socket));
  }

  /** `talk` is called with all that a connection has received, whenever more has come; answers HTTP 200 unless told. */
  static async start(
    talk: (socket: Socket, received: Buffer) => void = answerOk,
    address = '127.0.0.1',
    port = 0,
  ): Promise<CountingListener> {
    const server = createServer();
    const listener = new CountingListener(server, talk);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, resolve);
    });
    return listener;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.open.size;
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(socket: Socket): void {
    this.connections += 1;
    this.open.add(socket);
    this.mostOpen = Math.max(this.mostOpen, this.open.size);
    let received = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => this.open.delete(socket));
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      received = Buffer.concat([received, chunk]);
      this.talk(socket, received);
    });
  }
}

function answerOk(socket: Socket, received: Buffer): void {
  if (received.includes('\r\n\r\n'))
    socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}');
}
