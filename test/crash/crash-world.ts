import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { HostFolder, type SpawnedHost } from '../support/host';
import { HostClient } from '../support/host-client';
import { REDIS_IS_INSTALLED, TestRedis } from '../support/redis';
import type { CrashPostgres } from './crash-postgres';
import { FaultProxy } from './fault-proxy';
import { channelsOf, type Shop, startShops } from './shops';

export const REDIS_PASSWORD = 'canary-redis-password';
const ROLES = ['web', 'worker,scheduler', 'all'];
const PRELOAD = join(__dirname, 'failpoints.js');
const PATIENCE = {
  intake: { sweepEverySeconds: 1, pollOverlapSeconds: 10 },
  push: { pollEverySeconds: 1, leaseSeconds: 5, maxAttempts: 100 },
  breaker: { openSeconds: 1, maxOpenSeconds: 1 },
};

/** A place for a host, which stays when the host in it dies. */
export interface Seat {
  role: string;
  host: SpawnedHost | undefined;
  failpointFile: string;
  /** Everything that earlier hosts in it wrote. */
  log: string;
  /** What ended a host that nobody killed. */
  fell: string[];
}

/** Hosts as processes, with all that they stand on: a PostgreSQL, a Redis, shops, and the networks between. */
export class CrashWorld {
  readonly seats: Seat[];
  /** For looks at the tables, past the proxy. */
  pool: Pool;

  private constructor(
    readonly folder: string,
    readonly postgres: CrashPostgres,
    readonly toPostgres: FaultProxy,
    /** Undefined where no redis-server is installed. */
    readonly redis: TestRedis | undefined,
    readonly shops: readonly Shop[],
    private readonly hosts: HostFolder,
  ) {
    this.pool = postgres.pool();
    this.seats = ROLES.map((role, index) => ({
      ...{ role, host: undefined, log: '', fell: [] },
      failpointFile: join(folder, `failpoint-${index}.json`),
    }));
  }

  /** `postgres` is one that is stopped; it is started. Hosts are not, yet. */
  static async create(folder: string, postgres: CrashPostgres, seed: number): Promise<CrashWorld> {
    await postgres.start();
    const proxy = await FaultProxy.start(postgres.port);
    const redis = REDIS_IS_INSTALLED ? await TestRedis.start({ password: REDIS_PASSWORD }) : undefined;
    const shops = await startShops(seed);
    const hosts = await HostFolder.create(
      { ...PATIENCE, channels: channelsOf(shops) },
      postgres.urlThrough(proxy.port),
    );
    return new CrashWorld(folder, postgres, proxy, redis, shops, hosts);
  }

  /** SKUs and their first stock are the caller's to post. */
  async startHosts(): Promise<void> {
    await Promise.all(this.seats.filter(({ host }) => !host).map((seat) => this.fill(seat)));
  }

  /** Hosts that serve the API and are not known to be gone. */
  get webUrls(): string[] {
    return this.seats.flatMap(({ role, host }) => (host && role !== ROLES[1] ? [host.url] : []));
  }

  get api(): HostClient {
    const seat = this.seats.find(({ role, host }) => host && role !== ROLES[1]);
    if (!seat) throw new Error('no host serves the API');
    return seat.host!.api;
  }

  shop(name: string): Shop {
    return this.shops.find((shop) => shop.name === name)!;
  }

  /** Resolves once the host in this seat is gone. */
  async kill(seat: Seat): Promise<void> {
    const { host } = seat;
    seat.host = undefined;
    await host?.kill('SIGKILL');
    seat.log += host?.output() ?? '';
  }

  /** The host in this seat is to end by itself, at a failpoint. */
  expectEnd(seat: Seat): Promise<number | string> {
    const host = seat.host!;
    seat.host = undefined;
    return host.exited.finally(() => (seat.log += host.output()));
  }

  logOf({ log, host }: Seat): string {
    return log + (host?.output() ?? '');
  }

  /** All that is broken from the outside is whole again; hosts that are gone are started. */
  async heal(): Promise<void> {
    await Promise.all(
      [this.toPostgres, ...this.shops.map(({ proxy }) => proxy)].map((proxy) => proxy.heal()),
    );
    await this.postgres.signal('SIGCONT');
    if (!(await this.postgres.isRunning())) await this.postgres.start();
    for (const { host } of this.seats) host?.signal('SIGCONT');
    if (this.redis) await healRedis(this.redis);
    await this.startHosts();
  }

  async close(): Promise<void> {
    await this.pool.end().catch(() => undefined);
    for (const seat of this.seats) await this.kill(seat);
    await this.hosts.remove();
    await this.redis?.remove();
    await Promise.all(
      [this.toPostgres, ...this.shops.map(({ proxy }) => proxy)].map((proxy) => proxy.close()),
    );
    await Promise.all(this.shops.map(({ simulator }) => simulator.close()));
    await this.postgres.stop('immediate');
  }

  /** For whoever looks into what went wrong. */
  async keepLogs(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const [index, seat] of this.seats.entries())
      await writeFile(join(this.folder, `host-${index}.log`), this.logOf(seat));
  }

  private async fill(seat: Seat): Promise<void> {
    const env: Record<string, string> = {
      ONHAND_ROLE: seat.role,
      NODE_OPTIONS: `--require ${PRELOAD}`,
      ONHAND_FAILPOINT_FILE: seat.failpointFile,
      ...(this.redis && { REDIS_URL: this.redis.url }),
    };
    const host = await this.hosts.start({ env });
    seat.host = host;
    void host.exited.then((code) => {
      if (seat.host !== host) return;
      seat.fell.push(`the host (${seat.role}) ended by itself with ${code}`);
      seat.host = undefined;
      seat.log += host.output();
    });
  }
}

async function healRedis(redis: TestRedis): Promise<void> {
  if (redis.isRunning) redis.signal('SIGCONT');
  else await redis.restart();
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
}
