import {
  ChannelProtocolError,
  ChannelRequestError,
  ChannelThrottledError,
  type ChannelHost,
  type ChannelHttpResponse,
  type InventoryUpdate,
  isChannelError,
  type KeyedLimit,
  type PushResult,
  type UsedUpQuota,
} from 'onhand/channel-api';
import type { EbayClient } from './ebay.client';
import { CONCURRENT_ACCESS, hasError, wordsOf } from './ebay.errors';
import { partOf, rowsIn } from './ebay.fields';
import { isRevisions, revisionOf } from './ebay.limits';
import type { EbayOffers, Offer } from './ebay.offers';
import { entriesBySku, type Entry, resultOf } from './ebay.push-results';
import type { EbayOptions } from './ebay.options';

const PATH = '/sell/inventory/v1/bulk_update_price_quantity';

/** Whoever meets somebody else at a SKU waits a little, and goes alone: twice, and then the host tries later. */
const ALONE_AFTER_MS = [250, 1_000];

interface Row {
  update: InventoryUpdate;
  offers: readonly Offer[];
}

/** Sends quantities: each SKU's offers and its ship-to-home quantity, for eBay shows the smaller of them. */
export class EbayPush {
  /** SKUs in one call: as set, and fewer once eBay has refused so many. */
  private skusAtOnce: number;

  constructor(
    private readonly client: EbayClient,
    private readonly offers: EbayOffers,
    private readonly options: EbayOptions,
    private readonly host: Pick<ChannelHost, 'clock' | 'log'>,
  ) {
    this.skusAtOnce = options.batchSize;
  }

  /** One result per update. Throws a channel error only where no row was answered: the host sends all again. */
  async push(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    if (updates.length === 0) return [];
    const offers = await this.offers.offersOf(updates.map(({ channelSku }) => channelSku));
    const rows = updates.map((update) => ({ update, offers: offers.get(update.channelSku) ?? [] }));
    const results: PushResult[] = [];
    for (let at = 0; at < rows.length;) {
      const some = rows.slice(at, at + this.skusAtOnce);
      results.push(...(await this.pushOrGiveUp(some, results)));
      at += some.length;
    }
    return this.pushAlone(rows, results);
  }

  /** A failure must not lose what earlier rows were answered. */
  private async pushOrGiveUp(rows: readonly Row[], answered: readonly PushResult[]): Promise<PushResult[]> {
    try {
      return await this.pushWithinBudget(rows);
    } catch (error) {
      if (!isChannelError(error) || answered.length === 0) throw error;
      const { code, message: reason, retryable } = error;
      return rows.map(({ update: { pushId } }) => ({ pushId, outcome: 'rejected', code, reason, retryable }));
    }
  }

  /** Rows whose listing may not be changed for now wait, and cost the others nothing. */
  private async pushWithinBudget(rows: readonly Row[]): Promise<PushResult[]> {
    if (rows.length === 0) return [];
    try {
      return await this.send(rows);
    } catch (error) {
      const usedUp = budgetsIn(error);
      if (!usedUp) throw error;
      const { waiting, left } = this.heldBack(rows, usedUp);
      return [...waiting, ...(await this.pushWithinBudget(left))];
    }
  }

  /** A 0 is let go alone once, without what stood in its way: a sibling's change that has to leave more. */
  private heldBack(rows: readonly Row[], usedUp: ReadonlyMap<string, number>) {
    const waitOf = ({ offers }: Row) =>
      Math.max(0, ...offers.map(({ listingId }) => usedUp.get(listingId) ?? 0));
    const held = rows.filter((row) => waitOf(row) > 0);
    const above = held.filter(({ update }) => update.quantityUnits > 0);
    const waits = new Set(above.length > 0 ? above : held);
    const waiting = [...waits].map((row): PushResult => {
      const listings = row.offers.map(({ listingId }) => listingId).join(', ');
      const { revisionsPerListingPerDay: most, revisionReserve: kept } = this.options;
      const bound = row.update.quantityUnits > 0 ? `${most - kept} of ${most}, ${kept} are kept for 0` : most;
      const reason = `eBay's changes of listing ${listings} are used up for today (${bound})`;
      return { pushId: row.update.pushId, outcome: 'waiting', reason, waitMs: waitOf(row) };
    });
    return { waiting, left: rows.filter((row) => !waits.has(row)) };
  }

  private async send(rows: readonly Row[]): Promise<PushResult[]> {
    const response = await this.client.send({
      method: 'POST',
      path: PATH,
      json: { requests: rows.map(requestOf) },
      limits: rows.flatMap((row) => this.revisionsOf(row)),
      answers: (status, text) => status === 500 && text.includes(`${CONCURRENT_ACCESS}`),
    });
    if (response.status === 200 || response.status === 207) return this.resultsOf(rows, response);
    if (hasError(response, CONCURRENT_ACCESS)) return rows.map(({ update }) => concurrent(update));
    if (response.status === 404)
      throw new ChannelRequestError(`POST ${PATH} answered 404; check environment and endpoints`);
    if (response.status !== 400)
      throw new ChannelProtocolError(`POST ${PATH} was not answered 200 or 207, but ${wordsOf(response)}`);
    return this.afterRefusal(rows, response);
  }

  private resultsOf(rows: readonly Row[], response: ChannelHttpResponse): PushResult[] {
    const { responses } = partOf(response.json());
    const entries = entriesBySku(rowsIn(responses, 'responses'), rows);
    return rows.map((row) => this.resultOf(row, entries.get(row.update.channelSku) ?? []));
  }

  private resultOf({ update, offers }: Row, entries: readonly Entry[]): PushResult {
    const result = resultOf(update, offers.length > 0, entries);
    // An offer may have been withdrawn, and the SKU listed anew: the next try reads its offers again.
    if (result.outcome === 'rejected') this.offers.forget(update.channelSku);
    return result;
  }

  /** A call refused as a whole: for one bad row, or because there are many. Halved until a row stands alone. */
  private async afterRefusal(rows: readonly Row[], response: ChannelHttpResponse): Promise<PushResult[]> {
    const [only] = rows;
    const [first] = entriesBySku([partOf(response.json())], []).get('') ?? [];
    if (rows.length === 1 && only) return [this.resultOf(only, first ? [first] : [])];
    const half = Math.ceil(rows.length / 2);
    const before = await this.pushWithinBudget(rows.slice(0, half));
    const results = [...before, ...(await this.pushOrGiveUp(rows.slice(half), before))];
    if (results.every(({ outcome }) => outcome === 'applied') && half < this.skusAtOnce) {
      this.skusAtOnce = half;
      this.host.log.warn(
        `eBay takes no ${rows.length} SKUs in one call (${wordsOf(response)}); set batchSize to 1`,
      );
    }
    return results;
  }

  /** Rows that met somebody else at their SKU are sent once more, one after the other. */
  private async pushAlone(rows: readonly Row[], results: readonly PushResult[]): Promise<PushResult[]> {
    const byId = new Map(results.map((result) => [result.pushId, result]));
    for (const delayMs of ALONE_AFTER_MS) {
      const again = rows.filter(({ update }) => isConcurrent(byId.get(update.pushId)));
      if (again.length === 0) break;
      await this.host.clock.sleep(delayMs);
      for (const row of again)
        for (const result of await this.pushOrGiveUp([row], results)) byId.set(result.pushId, result);
    }
    return [...byId.values()];
  }

  /** One for each listing that the SKU is in; a 0 may take the last. */
  private revisionsOf({ update, offers }: Row): KeyedLimit[] {
    const keep = update.quantityUnits > 0 ? this.options.revisionReserve : 0;
    return offers.map(({ listingId }) => revisionOf(listingId, keep));
  }
}

function requestOf({ update: { channelSku: sku, quantityUnits: quantity }, offers }: Row): object {
  return {
    sku,
    shipToLocationAvailability: { quantity },
    ...(offers.length > 0 && {
      offers: offers.map(({ offerId }) => ({ offerId, availableQuantity: quantity })),
    }),
  };
}

/** The listings whose budget alone kept a call from being sent, with how long each waits; undefined otherwise. */
function budgetsIn(error: unknown): ReadonlyMap<string, number> | undefined {
  if (!isChannelError(error) || error.code !== 'channel-throttled') return undefined;
  const usedUp = (error as Partial<ChannelThrottledError>).usedUp ?? [];
  const isOfListing = ({ name, key }: UsedUpQuota) => isRevisions(name) && key !== undefined;
  if (usedUp.length === 0 || !usedUp.every(isOfListing)) return undefined;
  return new Map(usedUp.map(({ key, waitMs }) => [key!, waitMs]));
}

function concurrent({ pushId }: InventoryUpdate): PushResult {
  const reason = 'somebody else is changing the item';
  return { pushId, outcome: 'rejected', code: `ebay-${CONCURRENT_ACCESS}`, reason, retryable: true };
}

function isConcurrent(result: PushResult | undefined): boolean {
  return result?.outcome === 'rejected' && result.code === `ebay-${CONCURRENT_ACCESS}`;
}
