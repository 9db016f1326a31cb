import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { Agent, buildConnector, fetch, type RequestInit } from 'undici';
import type { AddressGuard, Target } from './address-guard';

/** Sockets to one host and port; further calls wait their turn within their own time-outs. */
const MAX_CONNECTIONS = 16;
/** For the connection, and again for the TLS handshake: what a call's own time-out leaves behind ends here. */
const CONNECT_WITHIN_MS = 10_000;
/** However long the other side would like an idle socket to be kept. */
const IDLE_AT_MOST_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;

export interface GuardedFetch {
  fetch: typeof globalThis.fetch;
  /** Ends calls under way and lets go of every socket. */
  close(): Promise<void>;
}

/**
 * A fetch whose connections are checked by the guard, before they are made and again once they are, both
 * before the first byte of TLS or HTTP. An address that is refused rejects as fetch does, with a
 * `ChannelAddressError` as the cause. One for each channel: they share no socket. Proxies named in the
 * environment are not used, for then the proxy would choose the address.
 */
export function createGuardedFetch(guard: AddressGuard): GuardedFetch {
  const connector = new GuardedConnector(guard);
  const agent = new Agent({
    connect: connector.connect,
    connections: MAX_CONNECTIONS,
    keepAliveMaxTimeout: IDLE_AT_MOST_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  const guarded = (url: string | URL, init?: RequestInit) => fetch(url, { ...init, dispatcher: agent });
  return {
    fetch: guarded as unknown as typeof globalThis.fetch,
    async close() {
      await agent.destroy();
      connector.close();
    },
  };
}

/** Connects to what the guard allows; for protocols other than HTTP by `connectChecked`. */
export class GuardedConnector {
  private readonly sockets = new Set<Socket>();
  private readonly secure = buildConnector({ timeout: CONNECT_WITHIN_MS });

  constructor(private readonly guard: AddressGuard) {}

  readonly connect: buildConnector.connector = (options, callback) => {
    this.connectChecked(targetOf(options)).then(
      (httpSocket) => {
        if (options.protocol === 'https:') this.secure({ ...options, httpSocket }, callback);
        else callback(null, httpSocket);
      },
      (error: Error) => callback(error, null),
    );
  };

  /** Also those that nobody waits for any more: a call that timed out leaves its connection half made. */
  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /**
   * The name is looked up once, every address it has is checked, and the connection is made to one of
   * these: a second look-up could be answered otherwise. Rejects with `ChannelAddressError`, or as a socket does.
   */
  async connectChecked(target: Target): Promise<Socket> {
    this.guard.checkName(target);
    const addresses = await lookup(target.hostname, { all: true });
    for (const { address } of addresses) this.guard.check(target, address);
    const socket = await this.dial(target, addresses);
    try {
      this.guard.check(target, connectedAddress(socket));
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return socket;
  }

  private dial(target: Target, addresses: { address: string; family: number }[]): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: target.hostname,
        port: target.port,
        autoSelectFamily: true,
        lookup: (_hostname, _options, answer) => answer(null, addresses),
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 60_000,
      });
      this.sockets.add(socket);
      const late = setTimeout(() => socket.destroy(failure('ETIMEDOUT')), CONNECT_WITHIN_MS);
      socket.on('error', reject);
      socket.once('connect', () => {
        clearTimeout(late);
        resolve(socket);
      });
      socket.once('close', () => {
        clearTimeout(late);
        this.sockets.delete(socket);
        reject(failure('ECONNRESET'));
      });
    });
  }
}

function targetOf({ hostname, port, protocol }: buildConnector.Options): Target {
  return { hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}

/** A socket that the other side has closed already has none. */
function connectedAddress({ remoteAddress }: Socket): string {
  if (remoteAddress === undefined) throw failure('ECONNRESET');
  return remoteAddress;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
