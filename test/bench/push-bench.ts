import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import { stringify } from 'yaml';
import { PACKAGE_ROOT } from '../../src/version';
import { type Measured, measuredOf, paced, round } from './measure';
import { PushReceiver } from './push-receiver';
import { ServerProcess } from './server-process';

/** What is sold, where and how fast; every SKU is listed on every channel. */
export interface PushSetting {
  channels: readonly string[];
  skus: number;
  ordersPerSecond: number;
}

const FOUR_CHANNELS: PushSetting = {
  channels: ['north', 'east', 'south', 'west'],
  skus: 10_000,
  ordersPerSecond: 300,
};
const SECRET = 'bench-webhook-secret';
const STOCK_UNITS = 1_000_000;
const CHANGES = 100_000;
const EVENTS_AT_ONCE = 1_000;

export interface PushRound {
  /** Ledger event committed → request with it received by the channel, at so many orders a second. */
  sync: Measured;
  /** A row committed in a bare table → NOTIFY → a request received, at the same rate. */
  syncFloor: Measured;
}

export interface Replay {
  changes: number;
  listings: number;
  /** Updates received after the breaker closed. */
  updates: number;
  /** Most of them for one listing. */
  mostPerListing: number;
  seconds: number;
}

/** A host with its channels, and who receives what it pushes. */
export class PushBench {
  private order = 0;

  private constructor(
    private readonly host: ServerProcess,
    private readonly receiver: PushReceiver,
    private readonly database: Pool,
    private readonly databaseUrl: string,
    private readonly apiKey: string,
    private readonly setting: PushSetting,
  ) {}

  static async start(
    folder: string,
    databaseUrl: string,
    env: NodeJS.ProcessEnv,
    setting = FOUR_CHANNELS,
  ): Promise<PushBench> {
    const receiver = await PushReceiver.start();
    const config = writeConfig(folder, receiver.url, setting);
    const host = await ServerProcess.start(
      [join(PACKAGE_ROOT, 'dist/src/main.js')],
      { ...env, DATABASE_URL: databaseUrl, ONHAND_CONFIG: config },
      '/health/ready',
    );
    const database = new Pool({ connectionString: databaseUrl, max: 4 });
    const bench = new PushBench(host, receiver, database, databaseUrl, env.ONHAND_ADMIN_KEY!, setting);
    await bench.stock();
    await database.query(
      'CREATE TABLE floor_changes (nr integer PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())',
    );
    return bench;
  }

  async stop(): Promise<void> {
    await this.host.stop();
    await this.receiver.stop();
    await this.database.end();
  }

  async round(seconds: number): Promise<PushRound> {
    return { sync: await this.sync(seconds), syncFloor: await this.floor(seconds) };
  }

  async sync(seconds: number): Promise<Measured> {
    await this.quiet();
    this.receiver.forget();
    const first = await this.lastEvent();
    const started = performance.now();
    const answers = await paced(this.setting.ordersPerSecond, seconds, () => this.sell());
    const perSecond = Math.round(answers / ((performance.now() - started) / 1000));
    await this.quiet();
    return measuredOf(await this.latencies(first), perSecond);
  }

  /** Changes behind open breakers, which are then closed. */
  async replay(): Promise<Replay> {
    await this.quiet();
    for (const channel of this.setting.channels) await this.breaker(channel, 'open');
    this.receiver.forget();
    for (let done = 0; done < CHANGES; done += EVENTS_AT_ONCE) {
      const events = Array.from({ length: EVENTS_AT_ONCE }, (_, index) => ({
        type: 'RESTOCK',
        sku: `BENCH-${(done * 7 + index * 13) % this.setting.skus}`,
        quantity: 1,
      }));
      await this.call('POST', '/v1/events', events);
    }
    if (this.receiver.rows > 0) throw new Error('pushed through an open breaker');
    const started = performance.now();
    for (const channel of this.setting.channels) await this.breaker(channel, 'auto');
    await this.quiet();
    const seconds = round((performance.now() - started) / 1000);
    const perListing = [...this.receiver.received.values()].map((each) => each.length);
    return {
      changes: CHANGES,
      listings: perListing.length,
      updates: this.receiver.rows,
      mostPerListing: Math.max(...perListing),
      seconds,
    };
  }

  private async stock(): Promise<void> {
    for (let first = 0; first < this.setting.skus; first += EVENTS_AT_ONCE) {
      const skus = Array.from({ length: EVENTS_AT_ONCE }, (_, index) => `BENCH-${first + index}`);
      await this.call(
        'POST',
        '/v1/events',
        skus.map((sku) => ({ type: 'RESTOCK', sku, quantity: STOCK_UNITS })),
      );
    }
    await this.quiet();
    await this.database.query('VACUUM ANALYZE');
  }

  /** An order of one line or two, told by webhook. */
  private async sell(): Promise<void> {
    const nr = this.order++;
    const { channels, skus } = this.setting;
    const channel = channels[nr % channels.length]!;
    const lines = Array.from({ length: 1 + (nr % 2) }, (_, index) => ({
      id: String(index),
      sku: `BENCH-${Math.floor(Math.random() * skus)}`,
      ordered: 1,
      cancelled: 0,
      fulfilled: 0,
      returned: 0,
    }));
    const at = new Date().toISOString();
    const body = JSON.stringify({ id: `order-${nr}`, revision: 1, placed_at: at, updated_at: at, lines });
    const response = await fetch(`${this.host.url}/webhooks/${channel}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-shop-topic': 'order/changed',
        'x-shop-signature': createHmac('sha256', SECRET).update(body).digest('hex'),
      },
      body,
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`a webhook was answered ${response.status}`);
  }

  private async lastEvent(): Promise<number> {
    const found = await this.database.query<{ seq: string }>(
      'SELECT coalesce(max(seq), 0) AS seq FROM ledger',
    );
    return Number(found.rows[0]!.seq);
  }

  /**
   * For each event since and each channel: from its time in the ledger, which is before its commit, to the
   * first request with that quantity or a later one. Stock only goes down meanwhile.
   */
  private async latencies(since: number): Promise<number[]> {
    const events = await this.database.query<{ code: string; available: string; at: string }>(
      `SELECT s.code, e.available, extract(epoch FROM e.recorded_at) * 1000 AS at
         FROM ledger e JOIN skus s ON s.id = e.sku_id WHERE e.seq > $1`,
      [since],
    );
    return events.rows.flatMap(({ code, available, at }) =>
      this.setting.channels.map((channel) => {
        const pushes = this.receiver.received.get(`${channel} ${code}`) ?? [];
        const told = pushes.find((push) => push.at >= Number(at) && push.quantity <= Number(available));
        if (!told) throw new Error(`${channel} was never told of ${code}`);
        return told.at - Number(at);
      }),
    );
  }

  async floor(seconds: number): Promise<Measured> {
    const listener = new Client({ connectionString: this.databaseUrl });
    await listener.connect();
    listener.on('notification', ({ payload }) => {
      void fetch(`${this.receiver.url}/floor`, {
        method: 'POST',
        body: JSON.stringify({ nr: Number(payload) }),
      });
    });
    await listener.query('LISTEN floor_changes');
    const insert = `WITH made AS (INSERT INTO floor_changes (nr) VALUES ($1))  SELECT pg_notify('floor_changes', $1::text)`;
    const first = this.order;
    const sent = await paced(this.setting.ordersPerSecond, seconds, () =>
      this.database.query(insert, [this.order++]),
    );
    while (this.receiver.floor.size < sent) await new Promise((resolve) => setTimeout(resolve, 20));
    await listener.end();
    const changes = await this.database.query<{ nr: number; at: string }>(
      'SELECT nr, extract(epoch FROM at) * 1000 AS at FROM floor_changes WHERE nr >= $1',
      [first],
    );
    const latencies = changes.rows.map(({ nr, at }) => this.receiver.floor.get(nr)! - Number(at));
    this.receiver.floor.clear();
    return measuredOf(latencies, Math.round(sent / seconds));
  }

  private breaker(channel: string, state: 'open' | 'auto'): Promise<void> {
    return this.call('POST', `/v1/channels/${channel}/breaker`, { state, reason: 'bench' });
  }

  /** Until nothing is dirty and no webhook waits. */
  private async quiet(): Promise<void> {
    for (;;) {
      const found = await this.database.query<{ waiting: string }>(
        `SELECT (SELECT count(*) FROM dirty_listings WHERE parked_at IS NULL)
              + (SELECT count(*) FROM inbox WHERE state = 'received') AS waiting`,
      );
      if (Number(found.rows[0]!.waiting) === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  private async call(method: string, path: string, body: unknown): Promise<void> {
    const response = await fetch(this.host.url + path, {
      method,
      headers: { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
  }
}

function writeConfig(folder: string, receiver: string, setting: PushSetting): string {
  const rows = Array.from({ length: setting.skus }, (_, index) => `BENCH-${index},BENCH-${index},1`);
  const listings = join(folder, 'bench-listings.csv');
  writeFileSync(listings, ['channel_sku,sku,units', ...rows].join('\n'));
  const channels = setting.channels.map((name) => ({
    name,
    plugin: '@onhand/generic-rest',
    listings,
    pollOrdersEverySeconds: 0,
    options: {
      baseUrl: `${receiver}/${name}`,
      webhook: { secret: SECRET, signatureHeader: 'x-shop-signature', topicHeader: 'x-shop-topic' },
      push: { batch: true, answers: 'status' },
      orders: { fields: { revision: 'revision' } },
      limit: { perSecond: 10_000, burst: 10_000 },
    },
  }));
  const file = join(folder, 'bench.yaml');
  writeFileSync(
    file,
    stringify({ outbound: { allow: ['127.0.0.1'] }, server: { bodyLimitBytes: 10_000_000 }, channels }),
  );
  return file;
}
