import { ChannelConfig } from '../../src/config/channel.config';
import { BufferConfig } from '../../src/config/buffer.config';
import { BreakerConfig } from '../../src/config/breaker.config';
import { Config, LocationConfig, PushConfig, IntakeConfig } from '../../src/config/config';
import { ShortfallConfig } from '../../src/config/shortfall.config';
import { SeededRandom } from '../../src/replay/random';
import { ApiClient } from './api-client';
import { useSource } from './clocks';
import { Connections } from './connections';
import { useConnections } from './simulated-client';
import { Host } from './host';
import { Moments } from './moments';
import { type Delivery, Network, webhookRequest } from './network';
import type { Plan } from './plan';
import { useOutside } from './seams';
import type { SimulatedServer } from './sessions';
import { CANARY, Shop } from './shop';
import { shopPlugin } from './shop-plugin';
import { EPOCH_MS, Timeline } from './timeline';
import { WakeQueue } from './wake-queue';

export interface Violation {
  invariant: string;
  message: string;
}

const HOSTS = 2;

/** Everything that there is in one run: hosts, what they run on, the shops and the people around them. */
export class World {
  readonly timeline = new Timeline();
  readonly moments = new Moments(this.timeline);
  readonly random: SeededRandom;
  readonly queue: WakeQueue;
  readonly connections: Connections;
  readonly shops = new Map<string, Shop>();
  readonly network: Network;
  readonly api: ApiClient;
  readonly hosts: Host[] = [];
  readonly violations: Violation[] = [];
  readonly skuIds: number[] = [];
  readonly locationIds: number[] = [];
  private readonly config: Config;

  private constructor(
    readonly plan: Plan,
    readonly server: SimulatedServer,
  ) {
    const { timeline } = this;
    this.random = new SeededRandom(plan.seed, 'chance');
    this.queue = new WakeQueue(timeline, new SeededRandom(plan.seed, 'queue'));
    this.connections = new Connections(
      timeline,
      server,
      new SeededRandom(plan.seed, 'database'),
      this.moments,
    );
    plan.shops.forEach((traits, index) => {
      const skus = plan.listings[index]!.map((_, listing) => skuOf(listing));
      const later = (delayMs: number, run: () => void) => void timeline.in(delayMs, null, '', run);
      const wallClock = () => new Date(EPOCH_MS + timeline.nowMs);
      const changed = (shop: Shop, order: Parameters<Network['tell']>[1]) => this.network.tell(shop, order);
      this.shops.set(traits.name, new Shop(traits, skus, () => timeline.nowMs, later, wallClock, changed));
    });
    this.network = new Network(
      timeline,
      this.moments,
      new SeededRandom(plan.seed, 'network'),
      this.shops,
      (delivery, answered) => this.receive(delivery, answered),
      this.violate,
    );
    this.api = new ApiClient(this);
    this.config = configOf(plan);
  }

  /** An empty database with the plan's catalogue in it, hosts started on it, and stock to sell. */
  static async create(plan: Plan, server: SimulatedServer): Promise<World> {
    await server.reset();
    const world = new World(plan, server);
    world.install();
    await world.catalogue();
    for (let index = 0; index < HOSTS; index++) world.startHost(index);
    await world.runUntil(() => world.hosts.every(({ isReady }) => isReady), 20_000);
    world.skuIds.forEach((_, sku) => world.api.move('RESTOCK', sku, sku % plan.locations, plan.openingUnits));
    await world.runUntil(() => world.api.open === 0, 20_000);
    return world;
  }

  get readyHosts(): Host[] {
    return this.hosts.filter((host) => host.isReady && host.frozenUntilMs <= this.timeline.nowMs);
  }

  /** Runs until it is so, or for so long; answers whether it is. */
  async runUntil(isSo: () => boolean, withinMs: number): Promise<boolean> {
    const untilMs = this.timeline.nowMs + withinMs;
    while (!isSo()) if (!(await this.timeline.step(untilMs))) break;
    return isSo();
  }

  async runFor(forMs: number): Promise<void> {
    const untilMs = this.timeline.nowMs + forMs;
    while (await this.timeline.step(untilMs));
    this.timeline.nowMs = untilMs;
  }

  databaseTime(): Date {
    return new Date(EPOCH_MS + this.timeline.nowMs);
  }

  startHost(index: number): void {
    const lives = (this.hosts[index] ? Number(this.hosts[index].name.split('.')[1]) : 0) + 1;
    const host = new Host(`host-${index + 1}.${lives}`, 0, this.connections, this.queue);
    this.hosts[index] = host;
    this.timeline.in(1, host, 'starts', () => {
      host.start(this.config).catch((error: Error) => {
        this.timeline.note(`does not start: ${error.message}`, host);
        void host
          .crash()
          .then(() => this.timeline.in(1_000, null, 'is started again', () => this.startHost(index)));
      });
    });
  }

  readonly violate = (invariant: string, message: string): void => {
    this.violations.push({ invariant, message });
    this.timeline.note(`VIOLATES ${invariant}: ${message}`, null);
  };

  /** Nothing of this run is left behind in the process. */
  async end(): Promise<void> {
    for (const host of this.hosts) if (!host.isDead) await host.crash();
    useOutside(undefined);
    useConnections(undefined);
    useSource(undefined);
  }

  private install(): void {
    useSource({ timeline: this.timeline, random: this.random });
    useConnections(this.connections);
    const traits = new Map(this.plan.shops.map((each) => [each.name, each]));
    useOutside({
      plugin: shopPlugin((shop) => traits.get(shop)!) as never,
      fetch: (url, init) => this.network.fetch(url as URL, init!),
      log: (level, line) => {
        if (line.includes(CANARY)) this.violate('I8', `a secret is in the log: ${line}`);
        if (level === 'warn' || level === 'error')
          this.timeline.note(`${level}: ${line.split('\n')[0]!.slice(0, 200)}`);
      },
    });
  }

  private async catalogue(): Promise<void> {
    const { skus, listings, shops } = this.plan;
    const { server } = this;
    const codes = Array.from({ length: skus }, (_, index) => `sku-${index}`);
    await server.query(`INSERT INTO skus (code) SELECT unnest($1::text[])`, [codes]);
    this.skuIds.push(...codes.map((_, index) => index + 1));
    for (const { code, priority } of this.config.locations)
      await server.query('INSERT INTO locations (code, name, priority) VALUES ($1, $1, $2)', [
        code,
        priority,
      ]);
    this.locationIds.push(...this.config.locations.map((_, index) => index + 1));
    const rows = listings.flatMap((all, shop) =>
      all.map((components, listing) => ({ channel: shops[shop]!.name, sku: skuOf(listing), components })),
    );
    await server.query(
      `INSERT INTO listings (channel, channel_sku, origin) SELECT r.channel, r.sku, 'api' FROM jsonb_to_recordset($1::jsonb) AS r (channel text, sku text)`,
      [JSON.stringify(rows)],
    );
    const parts = rows.flatMap(({ components }, index) =>
      components.map(({ sku, units }) => ({ listing: index + 1, sku: sku + 1, units })),
    );
    await server.query(
      `INSERT INTO listing_components (listing_id, sku_id, units) SELECT * FROM jsonb_to_recordset($1::jsonb) AS r (listing int, sku int, units int)`,
      [JSON.stringify(parts)],
    );
  }

  /** A webhook comes in at whichever host the load balancer takes; none, where all are away. */
  private receive(delivery: Delivery, answered: (status: number) => void): void {
    if (this.readyHosts.length === 0) return answered(503);
    const host = this.random.pick(this.readyHosts);
    const { timeline } = this;
    timeline.in(1, host, `receives a webhook`, () => {
      const tell = (status: number) => void timeline.in(1, null, '', () => answered(status));
      const response = { status: () => response, type: () => response, send: () => response };
      host.webhooks
        .receive(delivery.shop.traits.name, webhookRequest(delivery) as never, response as never)
        .then(() => {
          this.moments.reached(host, 'answer');
          tell(200);
        })
        .catch(() => tell(500));
    });
  }
}

export function skuOf(listing: number): string {
  return `listing-${listing}`;
}

/** Given to hosts as a variable: one that reads or makes a file waits for the disk, and no seed says how long. */
const SECRET_KEY = Buffer.alloc(32, 'simulated').toString('base64');

function configOf({ shops, locations }: Plan): Config {
  return Object.assign(new Config(), {
    secretKeys: [SECRET_KEY],
    locations: Array.from({ length: locations }, (_, index) =>
      Object.assign(new LocationConfig(), {
        code: `place-${index}`,
        name: `place-${index}`,
        priority: index + 1,
      }),
    ),
    push: Object.assign(new PushConfig(), { leaseSeconds: 20, confirmWithinSeconds: 60 }),
    intake: Object.assign(new IntakeConfig(), { pollOverlapSeconds: 120 }),
    channels: shops.map(({ name, shortfall, bufferUnits, followsSales }) =>
      Object.assign(new ChannelConfig(), {
        name,
        plugin: 'simulated-shop',
        options: { shop: name },
        pollOrdersLookbackSeconds: 600,
        returns: 'available',
        breaker: Object.assign(new BreakerConfig(), { failures: 3, openSeconds: 2, maxOpenSeconds: 20 }),
        ...buffersOf(bufferUnits, followsSales),
        shortfall: Object.assign(new ShortfallConfig(), { policy: shortfall, graceSeconds: 5 }),
      }),
    ),
  });
}

/** As `loadConfig` resolves what a file sets for one channel. */
function buffersOf(units: number, followsSales: boolean): Pick<ChannelConfig, 'buffer' | 'ownBuffer'> {
  const ownBuffer = { units, ...(followsSales && { syncLatencies: 2, assumedLatencySeconds: 5 }) };
  return { buffer: Object.assign(new BufferConfig(), ownBuffer), ownBuffer };
}
