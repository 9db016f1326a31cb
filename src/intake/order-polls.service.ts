import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { OrderDocument, Page, UnreadableItem } from '../channel-api';
import type { ReadyChannel } from '../channels/channels.service';
import { Config } from '../config/config';
import { eachWithinDeadline } from './deadline';
import { errorCode, errorText, isOutage } from './intake.errors';
import { checkedOrder } from './order-document';
import { type OrderPoll, OrderPollRecords } from './order-poll-records';
import { OrdersService } from './orders.service';
import { ParkedOrdersService, type UnusableOrder } from './parked-orders.service';

/** So many documents of a page are with the ledger at once. */
const ORDERS_AT_ONCE = 32;

/** Shorter than the lease, which is renewed with each page. */
const PAGE_SECONDS = 100;

/**
 * Reads what orders a channel changed since the last complete poll, less an overlap. Orders go the way of
 * those that came by webhook; one that cannot be applied is parked and holds up no other.
 */
@Injectable()
export class OrderPollsService implements OnModuleDestroy {
  private readonly log = new Logger('intake');
  private readonly records: OrderPollRecords;
  private stopping = false;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly orders: OrdersService,
    private readonly parked: ParkedOrdersService,
    private readonly config: Config,
  ) {
    this.records = new OrderPollRecords(dataSource);
  }

  /** A poll under way stops after its page: what it has is kept, and the next one goes on from there. */
  onModuleDestroy(): void {
    this.stopping = true;
  }

  /**
   * Once this resolves without a poll elsewhere, `order_polls.covered_at` is later than the call. Throws what
   * the channel's read throws; the next call goes on where it broke off.
   */
  async poll(channel: ReadyChannel): Promise<void> {
    const { name } = channel;
    let again: boolean | undefined = true;
    while (again && !this.stopping) {
      const poll = await this.records.begin(name, this.config.intake.pollOverlapSeconds);
      if (!poll) return;
      again = await this.read(channel, poll);
    }
  }

  /** To be called at each start: without it, there is no poll. */
  know({ name, config }: ReadyChannel): Promise<void> {
    return this.records.know(name, config.pollOrdersLookbackSeconds);
  }

  coveredAt(channel: string): Promise<Date | undefined> {
    return this.records.coveredAt(channel);
  }

  /** True when it is complete, and another one is wanted. */
  private async read(channel: ReadyChannel, poll: OrderPoll): Promise<boolean | undefined> {
    const { cursor, since } = poll;
    let orders = 0;
    try {
      const query = { since: since.toISOString(), ...(cursor !== null && { cursor }) };
      const pages = channel.channel.readOrders(query);
      for await (const page of eachWithinDeadline(pages, PAGE_SECONDS, 'reading a page of orders')) {
        orders += page.items.length;
        await this.applyPage(poll, page);
        if (page.cursor === undefined) continue;
        if (!(await this.records.keepCursor(poll, page.cursor))) return false;
        if (this.stopping) return await this.records.release(poll).then(() => false);
      }
      const again = await this.records.finish(poll, orders);
      await this.parked.noteMissing(poll.channel, since, poll.startedAt);
      return again;
    } catch (error) {
      const hopeless = (error as { retryable?: boolean } | undefined)?.retryable === false;
      await this.records.fail(poll, errorText(error), hopeless);
      throw error;
    }
  }

  private async applyPage(poll: OrderPoll, { items, unreadable = [] }: Page<OrderDocument>): Promise<void> {
    const unusable = unreadable.map(unreadableOrder);
    const known = await this.orders.settledAsListed(poll.channel, items);
    const applied = [...known];
    const news = items.filter((item) => !known.has(item?.orderId));
    for (let at = 0; at < news.length; at += ORDERS_AT_ONCE) {
      await Promise.all(
        news.slice(at, at + ORDERS_AT_ONCE).map(async (item) => {
          const refused = await this.apply(poll.channel, item);
          if (refused) unusable.push(refused);
          else applied.push(item.orderId);
        }),
      );
    }
    if (applied.length > 0) await this.parked.settle(poll.channel, applied);
    const fresh = await this.parked.park(poll.channel, poll.since, unusable);
    if (fresh > 0)
      this.log.warn(
        `${poll.channel}: ${fresh} listed orders cannot be applied and are parked; see GET /v1/parked/orders`,
      );
  }

  /** Answers what is wrong with the order. Throws where it is not the order's fault: the page is read again. */
  private async apply(channel: string, order: OrderDocument): Promise<UnusableOrder | undefined> {
    try {
      if (typeof order !== 'object' || order === null || order.kind !== 'order')
        throw new TypeError('the plugin must list order documents');
      await this.orders.apply(channel, checkedOrder(order));
      return undefined;
    } catch (error) {
      if (isOutage(error)) throw error;
      const { orderId } = (order ?? {}) as { orderId?: unknown };
      return {
        orderId: typeof orderId === 'string' && orderId !== '' ? orderId : undefined,
        code: errorCode(error),
        reason: errorText(error),
        body: jsonText(order),
      };
    }
  }
}

function unreadableOrder(item: UnreadableItem): UnusableOrder {
  const { id, reason, body } = item;
  return {
    orderId: typeof id === 'string' && id !== '' ? id : undefined,
    code: 'untranslatable',
    reason: String(reason),
    body: String(body),
  };
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
