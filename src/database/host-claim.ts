import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { DatabaseLog } from './connection-url';
import { DataDirectoryInUseError } from './database.errors';

/** Key of the advisory lock that marks a cluster as owned by a host ("onha" in ASCII). */
const HOST_LOCK_KEY = 0x6f6e6861;
/** A host that was just killed keeps its lock until the server notices that its connection closed. */
const PATIENCE_MS = 3000;
const RETRY_MS = 100;
const APPLICATION = 'onhand host ';

type ClaimOptions = {
  url: string;
  dataDir: string;
  log: DatabaseLog;
  /** Called when the connection was lost, to bring the server back before the claim is renewed. */
  revive: () => Promise<unknown>;
};

/**
 * A session-level advisory lock on a connection of its own: exactly one host owns a cluster, whatever
 * the lock file says. A lost connection is renewed, reviving the server first should it have died.
 */
export class HostClaim {
  private client: Client | undefined;
  private released = false;
  private renewal: Promise<void> | undefined;
  private readonly stopWaiting = new AbortController();

  private constructor(private readonly options: ClaimOptions) {}

  /** Throws `DataDirectoryInUseError` while another host holds the claim. */
  static async take(options: ClaimOptions): Promise<HostClaim> {
    const claim = new HostClaim(options);
    await claim.connect();
    return claim;
  }

  /** The connection to the maintenance database, for as long as the claim is held. */
  async query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
    if (!this.client) throw new Error('The host has no connection to its database at the moment.');
    return (await this.client.query<Record<string, unknown>>(sql, values)).rows;
  }

  async release(): Promise<void> {
    this.released = true;
    this.stopWaiting.abort();
    await this.renewal;
    await this.client?.end().catch(() => undefined);
    this.client = undefined;
  }

  private async connect(): Promise<void> {
    const client = new Client({
      connectionString: this.options.url,
      application_name: `${APPLICATION}${process.pid}`,
      keepAlive: true,
    });
    // A lost connection emits an error and an end; the end is enough to know.
    client.on('error', () => undefined);
    await client.connect();
    try {
      await lockOrRefuse(client, this.options.dataDir);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    client.once('end', () => this.onEnd(client));
    this.client = client;
  }

  private onEnd(client: Client): void {
    if (this.released || this.client !== client) return;
    this.client = undefined;
    this.options.log.warn(
      'The connection that marks this host as the owner of its database was lost; renewing it.',
    );
    this.renewal = this.renew();
  }

  private async renew(): Promise<void> {
    let lastMessage = '';
    while (!this.released && !this.client) {
      try {
        await this.options.revive();
        await this.connect();
        this.options.log.log('This host owns its database again.');
      } catch (error) {
        const { message } = error as Error;
        // The same failure repeats each second until it is cured; once is enough for the log.
        if (message !== lastMessage) this.options.log.error(message);
        lastMessage = message;
        await sleep(1000, undefined, { signal: this.stopWaiting.signal }).catch(() => undefined);
      }
    }
  }
}

async function lockOrRefuse(client: Client, dataDir: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
      HOST_LOCK_KEY,
    ]);
    if (rows[0]?.locked) return;
    if (Date.now() > deadline) throw new DataDirectoryInUseError(dataDir, await ownerPid(client));
    await sleep(RETRY_MS);
  }
}

/** The owner writes its own pid into its application name, for the error that refuses the next host. */
async function ownerPid(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT a.application_name AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = $1`,
    [HOST_LOCK_KEY],
  );
  return Number(rows[0]?.name.slice(APPLICATION.length)) || undefined;
}
