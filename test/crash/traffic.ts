import { setTimeout as sleep } from 'node:timers/promises';
import type { WebhookDelivery } from '../../src/channel-api';
import { SeededRandom } from '../../src/replay/random';
import type { AnswerBook, ApiCall, Told } from './answers';
import type { CrashWorld } from './crash-world';
import { CHANNEL_SKUS, SCARCE, type Shop, SKUS } from './shops';

/** A reservation by the API, and the one change of it that was asked for, if any. */
export interface Reserved {
  call: ApiCall;
  isHold: boolean;
  change?: { kind: 'confirm' | 'release' | 'fulfil'; call: ApiCall };
}

/** An order that a buyer placed on a shop, whether or not anybody told the host. */
export interface Placed {
  channel: string;
  orderId: string;
  next: 'fulfil or cancel' | 'return' | 'nothing';
}

const SENDERS = 10;
const PAUSE_MS = 15;
/** Shares of what a sender does next. */
const ACTS = { order: 40, change: 22, reserve: 16, changeReservation: 8, restock: 8, repeat: 4, misuse: 2 };

/** Buyers, warehouse and API callers, who go on whatever happens to the hosts. */
export class Traffic {
  readonly placed: Placed[] = [];
  reserved: Reserved[] = [];
  private readonly late: { told: Told; delivery: WebhookDelivery }[] = [];
  private readonly random: SeededRandom;
  private count = 0;
  private stopped = false;
  private running: Promise<void>[] = [];

  constructor(
    private readonly world: CrashWorld,
    readonly book: AnswerBook,
    private readonly seed: number,
  ) {
    this.random = new SeededRandom(seed, 'traffic');
  }

  start(): void {
    this.stopped = false;
    this.running = Array.from({ length: SENDERS }, async () => {
      while (!this.stopped) {
        await this.act();
        await sleep(PAUSE_MS);
      }
    });
  }

  /** What was under way is answered or given up first. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  /** Webhooks that the channels held back come now, older ones after newer. */
  async deliverLate(): Promise<void> {
    for (const { told, delivery } of this.random.shuffled(this.late.splice(0)))
      await this.book.webhook(this.url, told, delivery);
  }

  /** For the round's own writes. */
  async restock(sku: string, quantity: number): Promise<void> {
    await this.book.call(this.url, '/v1/events', { type: 'RESTOCK', sku, quantity }, this.newKey('event'));
  }

  /** A backup was restored: reservations made since, and changes of older ones, are no more. */
  fallBackTo(mark: { calls: number; webhooks: number }): void {
    const lost = this.book.fallBackTo(mark);
    this.reserved = this.reserved.filter(({ call }) => !lost.has(call));
    for (const one of this.reserved) if (one.change && lost.has(one.change.call)) delete one.change;
  }

  private async act(): Promise<void> {
    if (this.world.webUrls.length === 0) return;
    switch (this.random.pickWeighted(ACTS)) {
      case 'order':
        return this.order();
      case 'change':
        return this.changeOrder();
      case 'reserve':
        return this.reserve();
      case 'changeReservation':
        return this.changeReservation();
      case 'restock':
        return this.restock(this.random.pick(this.random.chance(0.7) ? SCARCE : SKUS), this.upTo(3));
      case 'repeat':
        return this.repeatOne();
      case 'misuse':
        return this.misuseOne();
    }
  }

  private async order(): Promise<void> {
    const shop = this.random.pick(this.world.shops);
    const orderId = this.newKey('order');
    const skus = this.random.shuffled(CHANNEL_SKUS).slice(0, this.upTo(3));
    const lines = skus.map((channelSku, index) => ({
      lineId: `L${index}`,
      channelSku,
      quantityUnits: this.upTo(2),
    }));
    shop.simulator.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
    this.placed.push({ channel: shop.name, orderId, next: 'fulfil or cancel' });
    await this.tell(shop, orderId);
  }

  private async changeOrder(): Promise<void> {
    const open = this.placed.slice(-60).filter(({ next }) => next !== 'nothing');
    if (open.length === 0) return;
    const order = this.random.pick(open);
    const { orderId } = order;
    const shop = this.world.shop(order.channel);
    const at = new Date().toISOString();
    if (order.next === 'return') {
      order.next = 'nothing';
      shop.simulator.returnOrder(orderId, at);
    } else if (this.random.chance(0.4)) {
      order.next = 'nothing';
      shop.simulator.cancelOrder(orderId, at);
    } else {
      order.next = 'return';
      shop.simulator.fulfilOrder(orderId, at);
    }
    await this.tell(shop, orderId);
  }

  /** Most webhooks come at once, some twice, some late, and some never: those a poll has to find. */
  private async tell({ name, simulator }: Shop, orderId: string): Promise<void> {
    const told = { channel: name, orderId, revision: simulator.order(orderId).revision };
    const delivery = simulator.webhookFor(orderId);
    const fate = this.random.next();
    if (fate < 0.07) return;
    if (fate < 0.15) {
      this.late.push({ told, delivery });
      return;
    }
    await this.book.webhook(this.url, told, delivery);
    if (fate < 0.25) await this.book.webhook(this.url, told, delivery);
  }

  private async reserve(): Promise<void> {
    const isHold = this.random.chance(0.5);
    const skus = this.random.shuffled(SKUS).slice(0, this.upTo(3));
    const lines = skus.map((sku) => ({ sku, quantity: this.upTo(2) }));
    const body = { lines, ...(isHold && { ttlSeconds: this.upTo(2) }) };
    const call = await this.book.call(this.url, '/v1/reservations', body, this.newKey('reserve'));
    this.reserved.push({ call, isHold });
  }

  /** May come when a hold has just run out: either wins, and what was answered says which. */
  private async changeReservation(): Promise<void> {
    const open = this.reserved.slice(-30).filter(({ call, change }) => call.status === 201 && !change);
    if (open.length === 0) return;
    const one = this.random.pick(open);
    const kind = this.random.pick(['confirm', 'release', 'fulfil'] as const);
    const path = `/v1/reservations/${(one.call.answer as { id: string }).id}/${kind}`;
    const key = this.newKey(kind);
    one.change = { kind, call: { key, path, body: {}, status: 0, answer: undefined } };
    one.change.call = await this.book.call(this.url, path, {}, key);
  }

  private async repeatOne(): Promise<void> {
    if (this.book.calls.length > 0)
      await this.book.repeat(this.url, this.random.pick(this.book.calls.slice(-200)));
  }

  private async misuseOne(): Promise<void> {
    const events = this.book.calls.slice(-200).filter(({ path }) => path === '/v1/events');
    if (events.length === 0) return;
    const call = this.random.pick(events);
    await this.book.misuse(this.url, call, { ...(call.body as object), quantity: 999 });
  }

  private get url(): string {
    const urls = this.world.webUrls;
    // Between the look and the call a host may go; the call then fails as it would for anybody.
    return urls.length > 0 ? this.random.pick(urls) : 'http://127.0.0.1:9';
  }

  private upTo(most: number): number {
    return 1 + Math.floor(this.random.next() * most);
  }

  private newKey(kind: string): string {
    return `${kind}-${this.seed}-${++this.count}`;
  }
}
