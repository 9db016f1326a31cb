import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { createTestDatabase, type TestDatabase } from './database';
import { eventually } from './eventually';
import { GENERIC_REST_PACKAGE, HostFolder, type HostSettings, type SpawnedHost } from './host';
import { deliver, listingsCsv, WEBHOOK_SECRET } from './shop-host';

const SKUS = 20;
const STOCK = 100_000;
const UNLIMITED = { perSecond: 10_000, burst: 10_000 };

/** Nothing recurs within a test, so that whatever happens was woken by what came before it. */
export const NO_POLL: HostSettings = {
  intake: { sweepEverySeconds: 3_600 },
  push: { pollEverySeconds: 3_600, leaseSeconds: 5, maxAttempts: 100 },
};

/** A webhook as its sender saw it. */
interface Delivered {
  orderId: string;
  status: number;
  tookMs: number;
}

/** Hosts as processes on one database, with one simulated shop, and Redis where `redisUrl` is given. */
export class SeveralHosts {
  /** Every webhook sent, with what became of it. */
  readonly delivered: Delivered[] = [];
  private readonly placed = new Set<string>();

  private constructor(
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
    readonly shop: ChannelSimulator,
    private readonly folder: HostFolder,
    private readonly redisUrl: string | undefined,
  ) {}

  static async create(settings: HostSettings, redisUrl?: string): Promise<SeveralHosts> {
    const database = await createTestDatabase();
    const shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
    shop.list(skus().map((channelSku) => ({ channelSku, quantityUnits: 0 })));
    const options = { ...shop.pluginOptions, limit: UNLIMITED };
    const listings = listingsCsv(skus().map((sku) => [sku, sku, 1]));
    const channel = {
      name: 'shop',
      plugin: GENERIC_REST_PACKAGE,
      options,
      listings,
      pollOrdersEverySeconds: 0,
    };
    const channels = [channel];
    const folder = await HostFolder.create({ ...settings, channels }, database.url);
    return new SeveralHosts(database, await database.dataSource(), shop, folder, redisUrl);
  }

  async start(role: string, env: Record<string, string> = {}): Promise<SpawnedHost> {
    const redis = this.redisUrl === undefined ? undefined : { REDIS_URL: this.redisUrl };
    return this.folder.start({ env: { ONHAND_ROLE: role, ...redis, ...env } });
  }

  async remove(): Promise<void> {
    await this.folder.remove();
    await this.shop.close();
    await this.database.drop();
  }

  async restock({ api }: SpawnedHost, quantity = STOCK): Promise<void> {
    for (const sku of skus()) {
      expect((await api.post('/v1/events', { type: 'RESTOCK', sku, quantity })).status).toBe(201);
    }
  }

  /** A buyer's order, told to the host by webhook, and one of ten told twice. */
  async order(host: SpawnedHost): Promise<void> {
    const orderId = randomUUID();
    const lines = [1, 2].map((line) => ({ lineId: `L${line}`, channelSku: anySku(), quantityUnits: 1 }));
    this.shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
    this.placed.add(orderId);
    for (let time = 0; time < (Math.random() < 0.1 ? 2 : 1); time++) {
      const started = performance.now();
      const status = await deliver(host, this.shop.webhookFor(orderId)).then(
        (answer) => answer.status,
        () => 0,
      );
      this.delivered.push({ orderId, status, tookMs: performance.now() - started });
    }
  }

  /** Orders and, now and then, stock events, one after the other for as long as `during` takes. */
  async sellWhile(host: SpawnedHost, during: () => Promise<void>, everyMs = 15): Promise<void> {
    let selling = true;
    const done = (async () => {
      for (let count = 1; selling; count++) {
        await this.order(host);
        if (count % 10 === 0) {
          const event = { type: 'RESTOCK', sku: anySku(), quantity: 1 };
          await host.api.post('/v1/events', event).catch(() => undefined);
        }
        await sleep(everyMs);
      }
    })();
    await during().finally(() => (selling = false));
    await done;
  }

  /** What a killed host had in hand is another's after a minute; this lets the minute pass. */
  async letClaimsEnd(): Promise<void> {
    await this.dataSource.query("UPDATE inbox SET not_before = '-infinity' WHERE state = 'received'");
  }

  /** Every order that was answered 2xx is reserved once, and the shop shows what the host says. */
  async expectSettled({ api }: SpawnedHost, withinMs = 40_000): Promise<void> {
    await eventually(async () => {
      const waiting = await this.dataSource.query(
        `SELECT (SELECT count(*)::int FROM inbox WHERE state <> 'applied') AS inbox,
                (SELECT count(*)::int FROM dirty_listings) AS dirty`,
      );
      expect(waiting).toEqual([{ inbox: 0, dirty: 0 }]);
      const asked = `/v1/availability?channel=shop&sku=${skus().join(',')}`;
      const { body } = await api.get<{ items: { sku: string; available: number }[] }>(asked);
      const says = body.items.map(({ sku, available }) => [sku, available]);
      expect(Object.fromEntries(this.shop.shown())).toEqual(Object.fromEntries(says));
    }, withinMs);
    const reserved: { id: string; lines: number; units: number }[] = await this.dataSource.query(
      `SELECT r.order_id AS id, count(*)::int AS lines, sum(p.reserved)::int AS units FROM reservations r
         JOIN reservation_lines p ON p.reservation_id = r.id WHERE r.channel = 'shop' GROUP BY 1`,
    );
    expect(reserved.filter(({ lines, units }) => lines !== 2 || units !== 2)).toEqual([]);
    const known = new Set(reserved.map(({ id }) => id));
    const answered = this.delivered.filter(({ status }) => status === 200);
    expect(answered.filter(({ orderId }) => !known.has(orderId)).map(({ orderId }) => orderId)).toEqual([]);
    expect((await api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true, violations: [] });
  }
}

export interface Readiness {
  roles: string[];
  leader: boolean;
  redis: 'off' | 'up' | 'down';
}

export async function readiness({ api }: SpawnedHost): Promise<Readiness> {
  const { status, body } = await api.withKey(undefined).get<Readiness>('/health/ready');
  expect(status).toBe(200);
  return body;
}

/** The value of a metric, labels and all, as the host tells it now. */
export async function metric({ api }: SpawnedHost, name: string): Promise<number | undefined> {
  const { body } = await api.withKey(undefined).get<string>('/metrics');
  const line = body.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

/** The one of these that leads; throws while there is none or more than one. */
export async function leaderOf(hosts: readonly SpawnedHost[]): Promise<SpawnedHost> {
  const ready = await Promise.all(hosts.map(readiness));
  const leaders = hosts.filter((_, index) => ready[index]!.leader);
  expect(leaders).toHaveLength(1);
  return leaders[0]!;
}

function skus(): string[] {
  return Array.from({ length: SKUS }, (_, index) => `S-${index}`);
}

function anySku(): string {
  return `S-${Math.floor(Math.random() * SKUS)}`;
}
