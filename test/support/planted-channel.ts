import type { DataSource } from 'typeorm';
import type { ChannelSimulator } from '../../src/channel-api';
import { eventually } from './eventually';
import type { HostClient } from './host-client';
import { deliver, listingsCsv } from './shop-host';

/** Ways in which a listing can differ from what it should show. */
export const CLASSES = [
  'in-flight',
  'unseen-order',
  'not-applied',
  'channel-edit',
  'drift',
  'missing',
  'unmapped',
] as const;
export type PlantedClass = (typeof CLASSES)[number];

const STOCK = 1_000;
const EVENTS_AT_ONCE = 1_000;

/** A channel with so many listings, of which so many of each class are made to differ; the others take orders. */
export class PlantedChannel {
  private readonly skus: Record<PlantedClass | 'flow', string[]>;
  private placed = 0;

  constructor(listings: number, planted: number) {
    const flow = listings - (CLASSES.length - 1) * planted;
    const named = (name: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${name.toUpperCase()}-${index}`);
    const classes = CLASSES.map((name) => [name, named(name, planted)] as const);
    this.skus = {
      ...(Object.fromEntries(classes) as Record<PlantedClass, string[]>),
      flow: named('flow', flow),
    };
  }

  of(name: PlantedClass | 'flow'): readonly string[] {
    return this.skus[name];
  }

  /** Ours, in an order that spreads each class over the pages. */
  get mapped(): string[] {
    const { unmapped: _theirs, ...ours } = this.skus;
    return Object.values(ours)
      .flat()
      .sort((a, b) => spread(a) - spread(b));
  }

  get listingsCsv(): string {
    return listingsCsv(this.mapped.map((sku) => [sku, sku, 1]));
  }

  /** What the shop lists, before anything was pushed. */
  listOn(shop: ChannelSimulator): void {
    const missing = new Set(this.skus.missing);
    shop.list(
      this.mapped.filter((sku) => !missing.has(sku)).map((channelSku) => ({ channelSku, quantityUnits: 0 })),
    );
  }

  async stock(api: HostClient): Promise<void> {
    await this.post(api, this.mapped, STOCK);
  }

  async post(api: HostClient, skus: readonly string[], quantity: number): Promise<void> {
    for (let at = 0; at < skus.length; at += EVENTS_AT_ONCE) {
      const events = skus.slice(at, at + EVENTS_AT_ONCE).map((sku) => ({ type: 'RESTOCK', sku, quantity }));
      const { status } = await api.post('/v1/events', events);
      if (status !== 200) throw new Error(`events were answered ${status}`);
    }
  }

  /** Until nothing is left to push but what the shop does not list. */
  async pushed(dataSource: DataSource, withinMs: number): Promise<void> {
    await eventually(async () => {
      const [row] = await dataSource.query(
        'SELECT count(*) FILTER (WHERE parked_at IS NULL)::int AS dirty FROM dirty_listings',
      );
      if (row.dirty > 0) throw new Error(`${row.dirty} listings are dirty`);
    }, withinMs);
  }

  /** Makes the differences, one class after the other. */
  async plant(api: HostClient, dataSource: DataSource, shop: ChannelSimulator): Promise<void> {
    shop.faults({ lie: 1 });
    await this.post(api, this.skus['not-applied'], 7);
    await this.pushed(dataSource, 60_000);
    shop.faults({ lie: 0 });
    // What is to be pushed much later stays on its way; what is taken off the list is never pushed.
    for (const name of ['in-flight', 'drift'] as const) {
      await dataSource.query(
        `INSERT INTO dirty_listings (listing_id, channel, not_before)
         SELECT id, channel, clock_timestamp() + interval '1 hour' FROM listings WHERE channel_sku = ANY($1::text[])`,
        [this.skus[name]],
      );
      await this.post(api, this.skus[name], 5);
    }
    await dataSource.query(
      'DELETE FROM dirty_listings USING listings l WHERE l.id = listing_id AND l.channel_sku = ANY($1::text[])',
      [this.skus.drift],
    );
    shop.list(this.skus['channel-edit'].map((channelSku) => ({ channelSku, quantityUnits: 3 })));
    shop.list(this.skus.unmapped.map((channelSku) => ({ channelSku, quantityUnits: 1 })));
    for (const sku of this.skus['unseen-order']) this.place(shop, sku);
  }

  /** Orders of the listings that are as they should be, told by webhook, at even distances until `stop` is called. */
  flow(api: HostClient, shop: ChannelSimulator, perSecond: number): { stop(): Promise<number> } {
    const { flow } = this.skus;
    const sent: Promise<unknown>[] = [];
    const started = performance.now();
    const timer = setInterval(() => {
      const due = ((performance.now() - started) / 1000) * perSecond;
      while (sent.length < due) {
        const orderId = this.place(shop, flow[(sent.length * 7_919) % flow.length]!);
        sent.push(deliver({ api }, shop.webhookFor(orderId)));
      }
    }, 10);
    return {
      async stop() {
        clearInterval(timer);
        await Promise.all(sent);
        return sent.length;
      },
    };
  }

  private place(shop: ChannelSimulator, channelSku: string): string {
    const orderId = `ORDER-${++this.placed}`;
    const lines = [{ lineId: '1', channelSku, quantityUnits: 1 }];
    shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
    return orderId;
  }
}

/** The same order each time, and no class by itself. */
function spread(text: string): number {
  let hash = 7;
  for (const char of text) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003;
  return hash;
}
