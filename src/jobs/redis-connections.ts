import { Redis, type RedisOptions } from 'ioredis';

const CONNECT_WITHIN_MS = 2_000;
/** Nothing here is worth more: what Redis does not take in this time goes another way. */
const ANSWER_WITHIN_MS = 1_000;
const RECONNECT_WITHIN_MS = 1_000;
const KEEP_ALIVE_MS = 10_000;
/** Bull asks for work five seconds at a time. A connection silent for longer leads nowhere, and is made anew. */
const SILENT_FOR_MS = 15_000;

/** What Bull names the connections it asks for. */
export type ConnectionKind = 'client' | 'subscriber' | 'bclient';

/**
 * Makes Bull's connections, so that each fails as it should, and ends them. The one that adds jobs refuses at
 * once while there is no Redis, where by default a command waits without end. The ones that listen come back
 * by themselves, also from a server that vanished without a word or that became a replica.
 */
export class RedisConnections {
  /** Why there was no connection, the last time there was none. */
  failure = 'the connection was lost';
  private readonly clients: Redis[] = [];

  constructor(private readonly url: string) {}

  readonly open = (kind: ConnectionKind): Redis => {
    const client = new Redis(this.url, kind === 'client' ? SENDING : LISTENING);
    // A host name with several addresses fails without a message of its own.
    client.on(
      'error',
      ({ message, code }: NodeJS.ErrnoException) => (this.failure = message || code || this.failure),
    );
    this.clients.push(client);
    return client;
  };

  /** At once, whatever they are in the middle of. */
  end(): void {
    for (const client of this.clients) client.disconnect();
  }
}

const EVERY: RedisOptions = {
  connectionName: 'onhand',
  disableClientInfo: true,
  connectTimeout: CONNECT_WITHIN_MS,
  keepAlive: KEEP_ALIVE_MS,
  enableReadyCheck: false,
  retryStrategy: (times) => Math.min(times * 100, RECONNECT_WITHIN_MS),
  // After a failover the old address may lead to what is a replica now; the name is looked up again.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
};

const SENDING: RedisOptions = {
  ...EVERY,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: ANSWER_WITHIN_MS,
};

const LISTENING: RedisOptions = { ...EVERY, maxRetriesPerRequest: null, socketTimeout: SILENT_FOR_MS };
