import { createHmac } from 'node:crypto';
import type { OrderDocument } from '../../src/channel-api';

/** What a shop is like; drawn from the seed. */
export interface ShopTraits {
  name: string;
  batchSize: number;
  answers: 'applied' | 'accepted';
  compareAndSet: boolean;
  cancels: boolean;
  /** Of one that sends none, polls alone find the orders. */
  sendsWebhooks: boolean;
  ordersPerPage: number;
  perSecond: number;
  burst: number;
  /** `cancel` has orders cancelled that stock does not cover. */
  shortfall: 'hold' | 'cancel' | 'backorder';
}

/** One call as the shop saw it. */
export interface LoggedCall {
  sentAtMs: number;
  call: string;
  status: number;
}

export interface AppliedPush {
  atMs: number;
  sku: string;
  pushId: string;
  units: number;
  /** It came when its sender had given it up already, which nobody can take back. */
  isLate: boolean;
}

export const CANARY = 'canary-7f3a9c51e2';
const SHOWN_AT_ONCE = 4;
/** An accepted push shows after so long. */
const APPLIES_AFTER_MS = 4_000;

interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

interface Reply {
  status: number;
  json?: unknown;
  headers?: Record<string, string>;
}

/** A shop somewhere else: what it shows, its orders, and a log of its own. It never crashes and forgets nothing. */
export class Shop {
  readonly shown = new Map<string, number>();
  readonly orders = new Map<string, OrderDocument>();
  readonly calls: LoggedCall[] = [];
  readonly pushes: AppliedPush[] = [];
  readonly cancelled = new Map<string, unknown>();
  /** What a person typed over, or a push that its sender had given up: no host can know of it but by comparing. */
  readonly overwritten = new Set<string>();
  /** Until when it answers so. */
  downUntilMs = 0;
  throttledUntilMs = 0;
  retryAfterSeconds: number | undefined;
  private ordersMade = 0;

  constructor(
    readonly traits: ShopTraits,
    skus: readonly string[],
    private readonly now: () => number,
    private readonly later: (delayMs: number, run: () => void) => void,
    private readonly wallClock: () => Date,
    private readonly changed: (shop: Shop, order: OrderDocument) => void,
  ) {
    for (const sku of skus) this.shown.set(sku, 0);
  }

  /** A buyer takes what is shown; nothing where there is not enough. */
  sell(lines: { sku: string; units: number }[]): OrderDocument | undefined {
    if (lines.some(({ sku, units }) => (this.shown.get(sku) ?? 0) < units)) return undefined;
    for (const { sku, units } of lines) this.shown.set(sku, this.shown.get(sku)! - units);
    const orderId = `${this.traits.name}-${++this.ordersMade}`;
    const placedAt = this.wallClock().toISOString();
    const order: OrderDocument = {
      kind: 'order',
      orderId,
      revision: 1,
      placedAt,
      updatedAt: placedAt,
      lines: lines.map(({ sku, units }, index) => ({
        lineId: `${orderId}/${index + 1}`,
        channelSku: sku,
        ordered: units,
        cancelled: 0,
        fulfilled: 0,
        returned: 0,
      })),
    };
    this.orders.set(orderId, order);
    this.changed(this, order);
    return order;
  }

  /** Changes one line's counts within what can be; the order's revision grows. */
  edit(orderId: string, line: number, kind: 'cancelled' | 'fulfilled' | 'returned', units: number): boolean {
    const order = structuredClone(this.orders.get(orderId)!);
    const changed = order.lines[line % order.lines.length]!;
    const open = changed.ordered - changed.cancelled - changed.fulfilled;
    const room = kind === 'returned' ? changed.fulfilled - changed.returned : open;
    const given = Math.min(units, room);
    if (given <= 0) return false;
    changed[kind] += given;
    if (kind === 'cancelled') this.shown.set(changed.channelSku, this.shown.get(changed.channelSku)! + given);
    order.revision++;
    order.updatedAt = this.wallClock().toISOString();
    this.orders.set(orderId, order);
    this.changed(this, order);
    return true;
  }

  /** An admin of the shop types another number. */
  type(sku: string, units: number): void {
    this.shown.set(sku, units);
    this.overwritten.add(sku);
  }

  handle(request: Request, sentAtMs: number, isLate: boolean): Reply {
    const reply = this.answer(request, isLate);
    this.calls.push({ sentAtMs, call: `${request.method} ${request.path}`, status: reply.status });
    return reply;
  }

  private answer({ method, path, query, body }: Request, isLate: boolean): Reply {
    if (this.now() < this.downUntilMs) return { status: 503 };
    if (this.now() < this.throttledUntilMs) {
      const seconds = this.retryAfterSeconds;
      return { status: 429, ...(seconds !== undefined && { headers: { 'retry-after': String(seconds) } }) };
    }
    if (path === '/check') return { status: 200, json: {} };
    if (method === 'PUT')
      return {
        status: 200,
        json: (body as { updates: Update[] }).updates.map((each) => this.take(each, isLate)),
      };
    if (path === '/stock') return { status: 200, json: this.stockPage(query) };
    if (path === '/orders') return { status: 200, json: this.orderPage(query) };
    return { status: 200, json: this.cancel(body as Cancellation) };
  }

  private take({ pushId, sku, units, believed }: Update, isLate: boolean): object {
    if (!this.shown.has(sku))
      return {
        pushId,
        outcome: 'rejected',
        code: 'unknown-sku',
        reason: 'no such listing',
        retryable: false,
      };
    const shown = this.shown.get(sku)!;
    if (this.traits.compareAndSet && believed !== undefined && believed !== shown)
      return { pushId, outcome: 'stale', shownUnits: shown };
    const apply = () => {
      this.shown.set(sku, units);
      if (isLate) this.overwritten.add(sku);
      else this.overwritten.delete(sku);
      this.pushes.push({ atMs: this.now(), sku, pushId, units, isLate });
    };
    if (this.traits.answers === 'accepted') {
      this.later(APPLIES_AFTER_MS, apply);
      return { pushId, outcome: 'accepted' };
    }
    apply();
    return { pushId, outcome: 'applied' };
  }

  private stockPage(query: URLSearchParams): object {
    const wanted = query.get('skus')?.split(',');
    const after = query.get('after') ?? '';
    const all = [...this.shown]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .filter(([sku]) => sku > after && (!wanted || wanted.includes(sku)));
    const page = all.slice(0, SHOWN_AT_ONCE);
    return {
      items: page.map(([sku, units]) => ({ sku, units })),
      next: all.length > page.length ? page.at(-1)![0] : undefined,
    };
  }

  private orderPage(query: URLSearchParams): object {
    const since = query.get('since') ?? '';
    const after = Number(query.get('after') ?? 0);
    const all = [...this.orders.values()].filter((order) => order.updatedAt! >= since);
    const page = all.slice(after, after + this.traits.ordersPerPage);
    return { orders: page, next: all.length > after + page.length ? String(after + page.length) : undefined };
  }

  private cancel({ cancelId, orderId, lines }: Cancellation): object {
    const known = this.cancelled.get(cancelId);
    if (known) return known;
    const order = this.orders.get(orderId)!;
    let isDone = false;
    for (const { lineId, units } of lines) {
      const place = order.lines.findIndex((line) => line.lineId === lineId);
      isDone = this.edit(orderId, place, 'cancelled', units) || isDone;
    }
    const answer = isDone ? { outcome: 'cancelled' } : { outcome: 'impossible', reason: 'it is on its way' };
    this.cancelled.set(cancelId, answer);
    return answer;
  }
}

interface Update {
  pushId: string;
  sku: string;
  units: number;
  believed?: number;
}

interface Cancellation {
  cancelId: string;
  orderId: string;
  lines: { lineId: string; units: number }[];
}

export function signatureOf(body: Buffer): string {
  return createHmac('sha256', CANARY).update(body).digest('hex');
}
