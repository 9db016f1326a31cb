import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';

/** Key of the advisory lock of whoever leads ("onhl" in ASCII). */
const LEADER_LOCK_KEY = 0x6f6e686c;
const BEAT_EVERY_MS = 1_000;
/** The server ends the session of a leader that it has not heard of for so long, and with it the lock. */
const SILENT_FOR_MS = 5_000;
/** Shorter than the server's patience, so that a leader knows that it may not be one before another is. */
const SURE_FOR_MS = 4_000;
const ANSWER_WITHIN_MS = 3_000;

/**
 * Elects one host of those that stand: it holds an advisory lock in a session of its own, and shows the server
 * every second that it is alive. A host that dies, loses its connection or stands still is followed by another
 * within seconds. One that stood still and wakes up measures first how long ago it was sure of itself.
 */
@Injectable()
export class LeaderService implements BeforeApplicationShutdown {
  private readonly log = new Logger('leader');
  /** When the last beat was sent that the server answered with the lock in hand. */
  private sureAt = -Infinity;
  private readonly closing = new AbortController();
  private standing: Promise<void> | undefined;
  private lastMessage = '';

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  get leads(): boolean {
    return performance.now() - this.sureAt < SURE_FOR_MS;
  }

  /** Stands for election until the application ends. `elected` is called each time this host begins to lead. */
  stand(elected: () => void): void {
    this.standing ??= this.serveTerms(elected);
  }

  /** The session ends, so that the next host need not wait. */
  async beforeApplicationShutdown(): Promise<void> {
    this.closing.abort();
    await this.standing;
  }

  private async serveTerms(elected: () => void): Promise<void> {
    while (!this.closing.signal.aborted) {
      const client = this.newClient();
      try {
        await client.connect();
        await client.query(`SET idle_session_timeout = ${SILENT_FOR_MS}`);
        await this.serve(client, elected);
      } catch (error) {
        const { message } = error as Error;
        // The same failure repeats each second until it is cured; once is enough for the log.
        if (message !== this.lastMessage) this.log.warn(`cannot stand for election: ${message}`);
        this.lastMessage = message;
      }
      if (this.leads) this.log.log('no longer leads');
      this.sureAt = -Infinity;
      await endSoon(client);
      await this.pause();
    }
  }

  /** Beats until the connection fails or the application ends. */
  private async serve(client: Client, elected: () => void): Promise<void> {
    let holds = false;
    while (!this.closing.signal.aborted) {
      const sentAt = performance.now();
      const led = holds;
      holds = holds ? await isAlive(client) : await takeLock(client);
      this.lastMessage = '';
      if (holds) this.sureAt = sentAt;
      if (holds && !led) {
        this.log.log('leads: wakes recurring jobs');
        elected();
      }
      await this.pause();
    }
  }

  private newClient(): Client {
    const { url } = this.dataSource.options as PostgresDataSourceOptions;
    const client = new Client({
      connectionString: url,
      application_name: 'onhand leader',
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
      keepAlive: true,
    });
    // A lost connection fails the next beat, which is enough to know.
    client.on('error', () => undefined);
    return client;
  }

  private async pause(): Promise<void> {
    await sleep(BEAT_EVERY_MS, undefined, { signal: this.closing.signal }).catch(() => undefined);
  }
}

/** Not waited for in the database: a statement that waits holds back the clean-up of every table. */
async function takeLock(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
    LEADER_LOCK_KEY,
  ]);
  return rows[0]!.taken;
}

async function isAlive(client: Client): Promise<true> {
  await client.query('SELECT 1');
  return true;
}

/** A server that does not answer is not waited for. */
async function endSoon(client: Client): Promise<void> {
  const ended = client.end().catch(() => undefined);
  await Promise.race([ended, sleep(500, undefined, { ref: false })]);
}
