import { type ChannelHost, isChannelError, isHeldBack } from 'onhand/channel-api';
import type { EbayClient } from './ebay.client';
import { type Json, partOf, partsOf, textIn } from './ebay.fields';

const PAGE_SIZE = 200;
const MAX_PAGES = 500;
/** Older ones do not change any more: a return has to be opened within 30 days and is decided within weeks. */
const LOOK_BACK_DAYS = 60;
const DAY_MS = 86_400_000;
/** A return in one of these has reached the seller (ReturnStateEnum of the Post-Order API). */
const CAME_BACK = ['ITEM_DELIVERED', 'RETURN_ITEM_DELIVERED'];

/** What a search is of, and where its answer has the list. */
interface Search {
  path: string;
  list: 'cancellations' | 'members';
}

const CANCELLATIONS: Search = { path: '/post-order/v2/cancellation/search', list: 'cancellations' };
const RETURNS: Search = { path: '/post-order/v2/return/search', list: 'members' };

/**
 * Cancellations and returns. There is no notification of them that every application may have, and no search by
 * when they changed: those of the last weeks are listed each time, and their states compared with the last
 * ones (https://developer.ebay.com/Devzone/post-order/post-order_v2_return_search__get.html).
 */
export class EbayPostOrder {
  /** State of each cancellation and return by its id, as of the last complete poll. */
  private seen = new Map<string, string>();
  /** Units that came back, by order and line item. What has come back once stays so. */
  private readonly returned = new Map<string, Map<string, number>>();
  private hasWarned = false;

  constructor(
    private readonly client: EbayClient,
    private readonly host: Pick<ChannelHost, 'clock' | 'log'>,
    /** eBay's sandbox has neither search. */
    private readonly isThere: boolean,
  ) {}

  /**
   * Orders with a cancellation or a return that changed since the last poll that was told to be `done`, all of
   * them at first.
   */
  async changedOrders(): Promise<{ orderIds: string[]; done: () => void }> {
    if (!this.isThere) return { orderIds: [], done: () => {} };
    const states = new Map<string, string>();
    const orderIds = new Set<string>();
    try {
      for (const search of [CANCELLATIONS, RETURNS])
        for (const { id, state, orderId } of await this.search(search, this.recent())) {
          states.set(id, state);
          if (this.seen.get(id) !== state) orderIds.add(orderId);
        }
    } catch (error) {
      this.goOnWithout(error);
      return { orderIds: [], done: () => {} };
    }
    return { orderIds: [...orderIds], done: () => (this.seen = states) };
  }

  /** Units of an order that came back, by line item, as far as polls have told. */
  returnedOf(orderId: string): ReadonlyMap<string, number> | undefined {
    return this.returned.get(orderId);
  }

  /** The same for one order, asked for by itself. */
  async readReturned(orderId: string): Promise<ReadonlyMap<string, number> | undefined> {
    try {
      if (this.isThere) await this.search(RETURNS, { order_id: orderId });
    } catch (error) {
      this.goOnWithout(error);
    }
    return this.returnedOf(orderId);
  }

  /** An API without a public contract, which not every seller may use, must not keep orders from being read. */
  private goOnWithout(error: unknown): void {
    if (!isChannelError(error) || isHeldBack(error) || error.code === 'channel-unavailable') throw error;
    if (!this.hasWarned) this.host.log.warn(`cancellations and returns are not polled: ${error.message}`);
    this.hasWarned = true;
  }

  private recent(): Record<string, string> {
    const from = this.host.clock.now().getTime() - LOOK_BACK_DAYS * DAY_MS;
    return { creation_date_range_from: new Date(from).toISOString() };
  }

  /** `offset` skips entries here. */
  private async search(
    { path, list }: Search,
    narrowed: Record<string, string>,
  ): Promise<{ id: string; state: string; orderId: string }[]> {
    const found: Json[] = [];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = { ...narrowed, limit: String(PAGE_SIZE), offset: String(found.length) };
      const body = await this.client.read({ method: 'GET', path, query });
      const rows = partsOf(body[list]);
      found.push(...rows);
      const { totalEntries } = partOf(body.paginationOutput);
      if (rows.length === 0 || found.length >= (typeof totalEntries === 'number' ? totalEntries : 0)) break;
    }
    return found.flatMap((row) => (list === 'members' ? this.returnIn(row) : cancellationIn(row)));
  }

  private returnIn(row: Json): { id: string; state: string; orderId: string }[] {
    const [returnId, orderId] = [textIn(row.returnId), textIn(row.orderId)];
    if (returnId === undefined || orderId === undefined) return [];
    const state = `${String(row.state)} ${String(row.status)}`;
    if (CAME_BACK.some((each) => row.state === each || row.status === each)) {
      const { transactionId, returnQuantity } = partOf(partOf(row.creationInfo).item);
      const lineId = textIn(transactionId);
      if (lineId !== undefined) this.keep(orderId, lineId, returnId, Number(returnQuantity ?? 1));
    }
    return [{ id: `return ${returnId}`, state, orderId }];
  }

  /** Several returns of one line add up; the same one seen again does not. */
  private readonly counted = new Set<string>();

  private keep(orderId: string, lineId: string, returnId: string, units: number): void {
    if (this.counted.has(returnId) || !Number.isSafeInteger(units) || units < 1) return;
    this.counted.add(returnId);
    const lines = this.returned.get(orderId) ?? new Map<string, number>();
    this.returned.set(orderId, lines.set(lineId, (lines.get(lineId) ?? 0) + units));
  }
}

function cancellationIn(row: Json): { id: string; state: string; orderId: string }[] {
  const [cancelId, orderId] = [textIn(row.cancelId), textIn(row.legacyOrderId)];
  if (cancelId === undefined || orderId === undefined) return [];
  return [
    {
      id: `cancellation ${cancelId}`,
      state: `${String(row.cancelState)} ${String(row.cancelStatus)}`,
      orderId,
    },
  ];
}
