import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';

/**
 * What becomes of connections. `lose-answers`: what is asked arrives, and the connection breaks before the answer;
 * `cut-after-commit`: the same for the next COMMIT only; `cut-before-commit`: that COMMIT never arrives.
 */
export type NetworkFault =
  | 'none'
  | 'refuse'
  | 'blackhole'
  | 'trickle'
  | 'reset'
  | 'lose-answers'
  | 'cut-after-commit'
  | 'cut-before-commit';

const COMMIT = Buffer.from('COMMIT\0');
const TRICKLE_MS = 20;

/** A TCP proxy on a port of its own that passes everything on, until it is told to misbehave. */
export class FaultProxy {
  /** Connections that a fault has broken or held. */
  hurt = 0;
  private fault: NetworkFault = 'none';
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;

  private constructor(private readonly target: { host: string; port: number }) {}

  static async start(target: string | number): Promise<FaultProxy> {
    const { hostname, port } = new URL(typeof target === 'number' ? `tcp://127.0.0.1:${target}` : target);
    const proxy = new FaultProxy({ host: hostname, port: Number(port) });
    await proxy.listen(0);
    return proxy;
  }

  port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that are open are broken by all faults but those of a COMMIT, as they are when a fault ends. */
  async begin(fault: NetworkFault): Promise<void> {
    this.fault = fault;
    if (fault.startsWith('cut')) return;
    this.breakAll();
    if (fault === 'refuse') await this.stopListening();
  }

  async heal(): Promise<void> {
    const was = this.fault;
    this.fault = 'none';
    if (was === 'none') return;
    if (!was.startsWith('cut')) this.breakAll();
    // Another fault may have come over the one that refuses.
    if (!this.server) await this.listen(this.port);
  }

  /** Every connection is cut, as when a firewall forgets them. */
  breakAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.breakAll();
    await this.stopListening();
  }

  private async listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.accept(client));
    this.server = server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as { port: number }).port;
  }

  private async stopListening(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    server.close();
    await once(server, 'close');
  }

  private accept(client: Socket): void {
    const upstream = new Socket({ allowHalfOpen: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      socket.on('end', () => other.end());
    }
    if (this.fault === 'reset') {
      this.hurt += 1;
      client.resetAndDestroy();
      return;
    }
    upstream.connect(this.target);
    client.on('data', (data) => this.forward(data, client, upstream));
    upstream.on('data', (data) => this.answer(data, client, upstream));
  }

  private forward(data: Buffer, client: Socket, upstream: Socket): void {
    if (this.fault === 'blackhole') {
      this.hurt += 1;
      return;
    }
    if (this.fault.startsWith('cut') && data.includes(COMMIT)) {
      const arrives = this.fault === 'cut-after-commit';
      this.fault = 'none';
      this.hurt += 1;
      // The server is told of the end only after what was sent, so that it does all of it.
      if (arrives) upstream.end(data, () => client.destroy());
      else client.destroy();
      return;
    }
    pass(data, client, upstream);
  }

  private answer(data: Buffer, client: Socket, upstream: Socket): void {
    if (this.fault === 'blackhole') return;
    if (this.fault === 'lose-answers') {
      this.hurt += 1;
      client.destroy();
      return;
    }
    if (this.fault !== 'trickle') {
      pass(data, upstream, client);
      return;
    }
    this.hurt += 1;
    upstream.pause();
    void trickle(data, client).then(() => upstream.resume());
  }
}

function pass(data: Buffer, from: Socket, to: Socket): void {
  if (to.destroyed || to.writableEnded) return;
  if (to.write(data)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

/** Eight bytes at a time: an answer of a kilobyte takes seconds. */
async function trickle(data: Buffer, to: Socket): Promise<void> {
  for (let at = 0; at < data.length && !to.destroyed; at += 8) {
    to.write(data.subarray(at, at + 8));
    await new Promise((resolve) => setTimeout(resolve, TRICKLE_MS));
  }
}
