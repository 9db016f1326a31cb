import type { ChannelClock, ChannelLogger, OrderDocument } from 'onhand/channel-api';
import { type ReportState, type Reports, RETURNS_REPORT } from './amazon-sp-api.reports';
import type { AmazonSpApiOptions, ReturnsOptions } from './amazon-sp-api.options';

/** Orders read for one look, at half a second's plan each; the rest comes with the next look. */
const ORDERS_AT_ONCE = 20;
const ROWS = { from: 0, count: Infinity };

type UnitsBySku = Map<string, number>;

/**
 * Returns of what the seller ships. They have no API of their own, only a report by return date: a row for each
 * return that a buyer asked for, with the day on which it arrived, if it has.
 */
export class Returns {
  /** What arrived, by order, as the newest report has it. */
  private arrived = new Map<string, UnitsBySku>();
  private readonly unread = new Set<string>();
  private reportId: string | undefined;
  private askedAt = -Infinity;

  constructor(
    private readonly reports: Reports,
    private readonly clock: ChannelClock,
    private readonly log: ChannelLogger,
    private readonly options: AmazonSpApiOptions & { returns: ReturnsOptions },
  ) {}

  /** The order with what has come back of it. Amazon counts by SKU: of lines with one SKU, the first is filled first. */
  added(order: OrderDocument): OrderDocument {
    const left = new Map(this.arrived.get(order.orderId));
    if (left.size === 0) return order;
    const lines = order.lines.map((line) => {
      const returned = Math.min(left.get(line.channelSku) ?? 0, line.fulfilled);
      left.set(line.channelSku, (left.get(line.channelSku) ?? 0) - returned);
      return { ...line, returned };
    });
    return { ...order, lines };
  }

  /**
   * Orders of which more came back than was known. Never waits for a report: it asks for one, and looks at it with
   * the next call.
   */
  async news(readOrder: (orderId: string) => Promise<OrderDocument | undefined>): Promise<OrderDocument[]> {
    await this.refresh();
    const orders: OrderDocument[] = [];
    for (const orderId of [...this.unread].slice(0, ORDERS_AT_ONCE)) {
      const order = await readOrder(orderId);
      if (order) orders.push(order);
      this.unread.delete(orderId);
    }
    return orders;
  }

  private async refresh(): Promise<void> {
    if (this.reportId === undefined) return this.ask();
    const state = await this.reports.look(this.reportId);
    if (state.state === 'pending') return;
    this.reportId = undefined;
    if (state.state === 'done') await this.read(state);
    else this.log.info('Amazon made no report of returns; there may have been none');
  }

  private async ask(): Promise<void> {
    const { returns, timeScale, marketplaceIds } = this.options;
    const now = this.clock.now().getTime();
    if (now - this.askedAt < (returns.everyMinutes * 60_000) / timeScale) return;
    this.askedAt = now;
    this.reportId = await this.reports.begin(RETURNS_REPORT, marketplaceIds, {
      dataStartTime: new Date(now - returns.lookbackDays * 86_400_000).toISOString(),
      dataEndTime: new Date(now).toISOString(),
    });
  }

  private async read({ documentId }: Extract<ReportState, { state: 'done' }>): Promise<void> {
    const { rows } = await this.reports.rows(RETURNS_REPORT, documentId, ROWS);
    const arrived = arrivedIn(rows);
    for (const [orderId, units] of arrived)
      if (isMore(units, this.arrived.get(orderId))) this.unread.add(orderId);
    this.arrived = arrived;
  }
}

/** A return that was asked for and has not arrived is none yet. */
export function arrivedIn(rows: readonly Record<string, string>[]): Map<string, UnitsBySku> {
  const arrived = new Map<string, UnitsBySku>();
  for (const row of rows) {
    const {
      'order id': orderId = '',
      'merchant sku': sku = '',
      'return delivery date': arrivedOn = '',
    } = row;
    const units = Number(row['return quantity']);
    if (orderId === '' || sku === '' || arrivedOn.trim() === '' || !Number.isSafeInteger(units) || units < 1)
      continue;
    if (!arrived.has(orderId)) arrived.set(orderId, new Map());
    const ofOrder = arrived.get(orderId)!;
    ofOrder.set(sku, (ofOrder.get(sku) ?? 0) + units);
  }
  return arrived;
}

function isMore(units: UnitsBySku, known: UnitsBySku | undefined): boolean {
  return [...units].some(([sku, count]) => count > (known?.get(sku) ?? 0));
}
