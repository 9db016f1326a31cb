import { Redis, type RedisOptions } from 'ioredis';

const CONNECT_WITHIN_MS = 2_000;
/** Nothing here is worth more: what Redis does not take in this time goes another way. */
const ANSWER_WITHIN_MS = 1_000;
const RECONNECT_AFTER_MS = 500;
const HANG_UP_WITHIN_MS = 200;
const KEEP_ALIVE_MS = 10_000;
/** Bull asks for work five seconds at a time. A connection silent for longer leads nowhere, and is made anew. */
const SILENT_FOR_MS = 8_000;

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
  private readonly clients = new Map<ConnectionKind, Redis>();

  constructor(private readonly url: string) {}

  readonly open = (kind: ConnectionKind): Redis => {
    const client = new Redis(this.url, kind === 'client' ? SENDING : LISTENING);
    // A host name with several addresses fails without a message of its own.
    client.on('error', ({ message, code }: NodeJS.ErrnoException) => {
      this.failure = message || code || this.failure;
    });
    if (kind === 'bclient') client.on('connect', () => hangUpWhenSilent(client));
    this.clients.set(kind, client);
    return client;
  };

  /** For a server that stopped answering: it may have vanished without a word, and another have its name. */
  reconnect(): void {
    this.clients.get('client')?.disconnect(true);
  }

  /** No job comes in any more; they still go out. */
  stopListening(): void {
    for (const [kind, client] of this.clients) if (kind !== 'client') endForGood(client);
  }

  /** At once, whatever they are in the middle of. */
  end(): void {
    for (const client of this.clients.values()) endForGood(client);
  }
}

/** ioredis has a setting for this, whose timer outlives the connection and keeps the process running. */
function hangUpWhenSilent({ stream }: Redis): void {
  stream.setTimeout(SILENT_FOR_MS, () => stream.destroy());
}

/** Bull connects once more while it closes, and waits for that: for ever, where Redis hangs. */
function endForGood(client: Redis): void {
  client.disconnect();
  client.connect = () => Promise.reject(new Error('this host is shutting down'));
}

const EVERY: RedisOptions = {
  connectionName: 'onhand',
  disableClientInfo: true,
  connectTimeout: CONNECT_WITHIN_MS,
  keepAlive: KEEP_ALIVE_MS,
  enableReadyCheck: false,
  disconnectTimeout: HANG_UP_WITHIN_MS,
  retryStrategy: () => RECONNECT_AFTER_MS,
  // After a failover the old address may lead to what is a replica now; the name is looked up again.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
};

const SENDING: RedisOptions = {
  ...EVERY,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: ANSWER_WITHIN_MS,
};

const LISTENING: RedisOptions = { ...EVERY, maxRetriesPerRequest: null };
