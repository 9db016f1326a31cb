import type { ChannelSimulator } from '../../src/channel-api/simulator';
import { type Answers, answersOf, deliver } from './soak-load';

const EVERY_MS = 1_000;
const LOOK_EVERY_MS = 20;
const GIVEN_UP_AFTER_MS = 120_000;

/**
 * How long it takes from a webhook's sending until every other shop shows the sale, seen from outside: each second a
 * unit of a SKU that nobody else buys is sold at one shop, and the other shops are looked at until they show it.
 */
export class SyncProbes {
  private readonly latencies: number[] = [];
  private readonly running = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private sold = 0;
  /** Sales that some shop did not show within 120 s. */
  lost = 0;

  constructor(
    private readonly hostUrl: string,
    private readonly shops: ReadonlyMap<string, ChannelSimulator>,
    private readonly skus: readonly string[],
    private readonly units: number,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      const probe = this.probe(this.sold++);
      this.running.add(probe);
      void probe.finally(() => this.running.delete(probe));
    }, EVERY_MS);
  }

  async stop(): Promise<Answers & { lost: number }> {
    clearInterval(this.timer);
    await Promise.all(this.running);
    return { ...answersOf(this.latencies), lost: this.lost };
  }

  private async probe(nr: number): Promise<void> {
    const sku = this.skus[nr % this.skus.length]!;
    const expected = this.units - Math.floor(nr / this.skus.length) - 1;
    const names = [...this.shops.keys()];
    const seller = names[nr % names.length]!;
    const shop = this.shops.get(seller)!;
    const orderId = `probe-${nr}`;
    const lines = [{ lineId: '0', channelSku: sku, quantityUnits: 1 }];
    shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
    const started = performance.now();
    await deliver(this.hostUrl, seller, shop.webhookFor(orderId));
    const others = names.filter((name) => name !== seller).map((name) => this.shops.get(name)!);
    while (others.some((other) => other.shown().get(sku) !== expected)) {
      if (performance.now() - started > GIVEN_UP_AFTER_MS) {
        this.lost++;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    this.latencies.push(performance.now() - started);
  }
}
