import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';

/** What either of them throws, or rejects with, is told in the log, and everything is read again until that succeeds. */
export interface Listener {
  /** The NOTIFY payload. */
  heard(payload: string): unknown;
  /** Notifications may have been missed: read everything again. */
  missed(): unknown;
}

const RECONNECT_AFTER_MS = 1_000;
const READ_AGAIN_AFTER_MS = 1_000;

/**
 * One connection that LISTENs for what other hosts committed. A notification is a hint: whoever listens
 * reads the truth from its table, and reads it whole after a lost connection.
 */
@Injectable()
export class ListenerService implements BeforeApplicationShutdown {
  private readonly log = new Logger('listener');
  private readonly listeners = new Map<string, Listener>();
  /** Whose last reading failed, with what reads again. */
  private readonly behind = new Map<string, NodeJS.Timeout>();
  private client: Client | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Resolves once the channel is listened to. `channel` is a plain SQL name. */
  async listen(channel: string, listener: Listener): Promise<void> {
    this.listeners.set(channel, listener);
    // Rooms ask side by side, and the connection takes one statement after the other.
    const turn = this.turn.then(async () => {
      if (this.client) await this.client.query(`LISTEN ${channel}`);
      else await this.connect();
    });
    this.turn = turn.catch(() => undefined);
    await turn;
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    for (const timer of this.behind.values()) clearTimeout(timer);
    await this.client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const { url } = this.dataSource.options as PostgresDataSourceOptions;
    const client = new Client({
      connectionString: url,
      application_name: 'onhand listener',
      keepAlive: true,
    });
    client.on('error', () => this.reconnectLater(client));
    client.on('end', () => this.reconnectLater(client));
    client.on('notification', ({ channel, payload }) =>
      this.follow(channel, (listener) => listener.heard(payload ?? '')),
    );
    this.client = client;
    await client.connect();
    for (const channel of this.listeners.keys()) await client.query(`LISTEN ${channel}`);
  }

  private readAgain(channel: string): void {
    this.follow(channel, (listener) => {
      clearTimeout(this.behind.get(channel));
      return listener.missed();
    });
  }

  private follow(channel: string, tell: (listener: Listener) => unknown): void {
    const listener = this.listeners.get(channel);
    if (!listener || this.closed) return;
    new Promise((resolve) => resolve(tell(listener))).catch((error: Error) => {
      if (this.closed) return;
      if (!this.behind.has(channel))
        this.log.warn(`cannot read what ${channel} tells of, trying again: ${error.message}`);
      clearTimeout(this.behind.get(channel));
      this.behind.set(
        channel,
        setTimeout(() => this.readAgain(channel), READ_AGAIN_AFTER_MS),
      );
    });
  }

  private reconnectLater(client: Client): void {
    if (this.closed || this.client !== client) return;
    this.client = undefined;
    this.log.warn('lost the connection for notifications; connecting again');
    this.timer = setTimeout(() => void this.reconnect(), RECONNECT_AFTER_MS);
  }

  private async reconnect(): Promise<void> {
    try {
      await this.connect();
      for (const channel of this.listeners.keys()) this.readAgain(channel);
    } catch {
      if (!this.client) return;
      this.reconnectLater(this.client);
    }
  }
}
