import {
  ChannelRequestError,
  isChannelError,
  type ChannelClock,
  type ChannelError,
  type InventoryUpdate,
  type PushResult,
} from 'onhand/channel-api';
import type { Catalogue, Found } from './shopify.catalogue';
import { InvalidInputError, readable, type ShopifyClient, type UserError } from './shopify.client';
import type { Echoes } from './shopify.echoes';
import { globalId } from './shopify.ids';
import { levelsAt } from './shopify.levels';
import { idempotencyKey } from './shopify.limits';
import type { ShopifyOptions } from './shopify.options';

/** An update whose item and location are known. */
interface Row {
  update: InventoryUpdate;
  itemId: string;
  locationId: string;
  /** What Shopify is to find there; null for no matter what. */
  changeFrom: number | null;
}

/** The same request under the same key is still at work; after so long it is asked for again. */
const CONCURRENT_WAIT_MS = 1_000;
const CONCURRENT_TRIES = 3;

/** The call that a push begins with; what it leads to is named after it. */
const FIRST_STEP = 'first';

/** What a row is refused for. `retryable`: another push of it may pass. */
const ROW_ERRORS: Record<string, { retryable: boolean; advice: string }> = {
  INVALID_INVENTORY_ITEM: {
    retryable: true,
    advice: 'the variant was deleted or replaced; it is looked up anew',
  },
  INVALID_LOCATION: { retryable: false, advice: "check the channel's locations in onhand.yaml" },
  INVALID_QUANTITY_NEGATIVE: { retryable: false, advice: 'quantities are 0 or more' },
  INVALID_QUANTITY_TOO_HIGH: {
    retryable: false,
    advice: 'Shopify takes up to 1,000,000,000; set a cap for the listing',
  },
  INVALID_QUANTITY_TOO_LOW: { retryable: false, advice: 'quantities are 0 or more' },
  NON_MUTABLE_INVENTORY_ITEM: {
    retryable: false,
    advice: 'Shopify works out the stock of this item from others, as it does of a bundle; map those instead',
  },
  NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR: { retryable: true, advice: 'two listings are the same item' },
  IDEMPOTENCY_CONCURRENT_REQUEST: { retryable: true, advice: 'the same push is still at work' },
  IDEMPOTENCY_KEY_PARAMETER_MISMATCH: { retryable: true, advice: 'it is pushed again under another key' },
  IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED: { retryable: true, advice: 'it is pushed again under another key' },
};

const STALE = ['CHANGE_FROM_QUANTITY_STALE', 'COMPARE_QUANTITY_STALE'];

/** What says that the plugin asks in a wrong way, whatever the row. */
const SETUP_ERRORS = [
  'INVALID_NAME',
  'INVALID_REASON',
  'INVALID_REFERENCE_DOCUMENT',
  'COMPARE_QUANTITY_REQUIRED',
];

/**
 * Sets what the shop shows as available. Shopify sets all rows of a call or none, so that what it refuses is
 * taken out and the others are sent again.
 * @see https://shopify.dev/docs/api/admin-graphql/latest/mutations/inventorySetQuantities
 */
export class Pusher {
  constructor(
    private readonly client: ShopifyClient,
    private readonly catalogue: Catalogue,
    private readonly echoes: Echoes,
    private readonly options: Pick<ShopifyOptions, 'activateMissing' | 'mapBy'>,
    private readonly clock: ChannelClock,
  ) {}

  /** One result per update. Throws a channel error only where no row was answered: the host sends all again. */
  async push(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    if (updates.length === 0) return [];
    const found = await this.catalogue.find(updates.map(({ channelSku }) => channelSku));
    const results: PushResult[] = [];
    const rows: Row[] = [];
    for (const update of updates) {
      const row = this.rowOf(update, found.get(update.channelSku));
      if ('outcome' in row) results.push(row);
      else rows.push(row);
    }
    return [...results, ...(await this.set(rows, FIRST_STEP))];
  }

  private rowOf(update: InventoryUpdate, found: Found | undefined): Row | PushResult {
    const { channelSku, channelLocation, quantityUnits, believedUnits } = update;
    if (!found)
      return rejected(update, 'unknown-sku', `no variant of the shop has this ${this.options.mapBy}`);
    if (found.kind === 'duplicate') {
      const named = found.variants.slice(0, 5).map((name) => JSON.stringify(name));
      const reason = `${found.variants.length} variants have this ${this.options.mapBy} (${named.join(', ')}); make it unique in the shop`;
      return rejected(update, 'duplicate-sku', reason);
    }
    if (channelLocation === undefined) {
      const reason = "Shopify keeps stock by location; map the shop's locations in channels[].locations";
      return rejected(update, 'no-location', reason);
    }
    if (!Number.isSafeInteger(quantityUnits) || channelSku === '')
      return rejected(update, 'invalid-quantity', 'the quantity must be a whole number');
    const changeFrom = believedUnits ?? null;
    return { update, itemId: found.itemId, locationId: channelLocation, changeFrom };
  }

  /** `step` tells the calls that one push leads to apart: each has a key of its own, and the same one when it is repeated. */
  private async set(rows: readonly Row[], step: string): Promise<PushResult[]> {
    if (rows.length === 0) return [];
    let errors: UserError[];
    try {
      errors = await this.send(rows, step);
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      const [only] = rows;
      if (rows.length === 1 && only) return [rejected(only.update, 'invalid-input', error.message)];
      return this.setHalves(rows, step);
    }
    return errors.length === 0 ? rows.map((row) => applied(row)) : this.setWithout(rows, errors, step);
  }

  private async send(rows: readonly Row[], step: string): Promise<UserError[]> {
    const input = {
      name: 'available',
      reason: 'correction',
      quantities: rows.map(({ update, itemId, locationId, changeFrom }) => ({
        inventoryItemId: globalId('InventoryItem', itemId),
        locationId: globalId('Location', locationId),
        quantity: update.quantityUnits,
        changeFromQuantity: changeFrom,
      })),
    };
    const key = idempotencyKey('set', step, ...rows.map(({ update }) => update.pushId));
    for (let attempt = 1; ; attempt += 1) {
      const sentAt = this.clock.now().getTime();
      const { inventorySetQuantities } = await this.client.run<{
        inventorySetQuantities: { userErrors: UserError[] };
      }>('SetQuantities', { input, key });
      const { userErrors } = inventorySetQuantities;
      if (userErrors.length === 0)
        for (const { update, itemId, locationId } of rows)
          this.echoes.note(itemId, locationId, update.quantityUnits, sentAt);
      const isAtWork = userErrors.some(({ code }) => code === 'IDEMPOTENCY_CONCURRENT_REQUEST');
      if (!isAtWork || attempt === CONCURRENT_TRIES) return userErrors;
      await this.clock.sleep(CONCURRENT_WAIT_MS);
    }
  }

  /** Settles the rows that errors name, and sends the others again. Errors that name none are found by halves. */
  private async setWithout(
    rows: readonly Row[],
    errors: readonly UserError[],
    step: string,
  ): Promise<PushResult[]> {
    const setup = errors.find(({ code }) => SETUP_ERRORS.includes(code ?? ''));
    if (setup) throw new ChannelRequestError(`SetQuantities: ${setup.code}: ${readable(setup.message)}`);
    const refused = new Map<number, UserError>();
    for (const error of errors) {
      const index = rowIndex(error);
      if (index !== undefined && index < rows.length && !refused.has(index)) refused.set(index, error);
    }
    const [first] = errors;
    if (refused.size === 0 && first) {
      const concernsAll = first.code?.startsWith('IDEMPOTENCY_') === true || rows.length === 1;
      if (!concernsAll) return this.setHalves(rows, step);
      for (const index of rows.keys()) refused.set(index, first);
    }
    const good = rows.filter((_, index) => !refused.has(index));
    const bad = rows.flatMap((row, index) => {
      const error = refused.get(index);
      return error ? [{ row, error }] : [];
    });
    const rest = await this.orGiveUp(good, () => this.set(good, `${step} less ${bad.length}`));
    return [...rest, ...(await this.judge(bad, step))];
  }

  private async setHalves(rows: readonly Row[], step: string): Promise<PushResult[]> {
    const middle = Math.ceil(rows.length / 2);
    const [left, right] = [rows.slice(0, middle), rows.slice(middle)];
    const first = await this.set(left, `${step} left`);
    return [...first, ...(await this.orGiveUp(right, () => this.set(right, `${step} right`)))];
  }

  /** A later call's failure must not lose what an earlier one was answered. */
  private async orGiveUp(rows: readonly Row[], send: () => Promise<PushResult[]>): Promise<PushResult[]> {
    try {
      return await send();
    } catch (error) {
      if (!isChannelError(error)) throw error;
      return rows.map(({ update }) => unanswered(update, error));
    }
  }

  private async judge(
    refused: readonly { row: Row; error: UserError }[],
    step: string,
  ): Promise<PushResult[]> {
    const doubtful = refused.filter(({ error }) => isAboutLevel(error));
    const clear = refused.filter(({ error }) => !isAboutLevel(error));
    const results = clear.map(({ row, error }) => this.refusal(row, error));
    const rows = doubtful.map(({ row }) => row);
    return [...results, ...(await this.orGiveUp(rows, () => this.judgeByLevel(doubtful, step)))];
  }

  /** Looks at what the shop shows: it may show something else than we believe, or not stock the item there at all. */
  private async judgeByLevel(
    refused: readonly { row: Row; error: UserError }[],
    step: string,
  ): Promise<PushResult[]> {
    const levels = await levelsAt(
      this.client,
      refused.map(({ row }) => row),
    );
    const results: PushResult[] = [];
    const again: Row[] = [];
    for (const [index, { row, error }] of refused.entries()) {
      const shown = levels[index];
      if (shown === null) results.push(await this.activate(row));
      else if (shown === undefined || !STALE.includes(error.code ?? ''))
        results.push(this.refusal(row, error));
      // An earlier call of this very push has set it, although it was refused for another row.
      else if (step !== FIRST_STEP && shown === row.update.quantityUnits) results.push(applied(row));
      // Oversold in the shop: it shows less than nothing, which we know as 0.
      else if (shown < 0 && row.changeFrom === 0) again.push({ ...row, changeFrom: shown });
      else results.push({ pushId: row.update.pushId, outcome: 'stale', shownUnits: Math.max(shown, 0) });
    }
    return [...results, ...(await this.orGiveUp(again, () => this.set(again, `${step} below 0`)))];
  }

  private async activate({ update, itemId, locationId }: Row): Promise<PushResult> {
    if (!this.options.activateMissing) {
      const reason =
        'there is no such location, or it does not stock the item; stock it there, or set options.activateMissing';
      return rejected(update, 'not-stocked', reason);
    }
    const { inventoryActivate } = await this.client.run<{ inventoryActivate: { userErrors: UserError[] } }>(
      'ActivateItem',
      {
        item: globalId('InventoryItem', itemId),
        location: globalId('Location', locationId),
        available: update.quantityUnits,
        key: idempotencyKey('activate', update.pushId),
      },
    );
    const [error] = inventoryActivate.userErrors;
    if (!error) return { pushId: update.pushId, outcome: 'applied' };
    return rejected(
      update,
      'not-activated',
      `the location cannot stock the item: ${readable(error.message)}`,
    );
  }

  private refusal({ update }: Row, { code, message }: UserError): PushResult {
    if (code === 'INVALID_INVENTORY_ITEM') this.catalogue.forget(update.channelSku);
    const known = ROW_ERRORS[code ?? ''];
    const reason = `${readable(message)}${known ? ` (${known.advice})` : ''}`;
    const name = (code ?? 'user-error').toLowerCase().replaceAll('_', '-');
    return rejected(update, name, reason, known?.retryable ?? false);
  }
}

/** Stale, or a location that may just not stock the item: Shopify has one code for that and for an unknown one. */
function isAboutLevel({ code, message }: UserError): boolean {
  return STALE.includes(code ?? '') || code === 'INVALID_LOCATION' || /not stocked/i.test(message);
}

/** From a path such as `input.quantities.3.quantity`. */
function rowIndex({ field }: UserError): number | undefined {
  const index = field?.[(field.indexOf('quantities') + 1 || Infinity) as number];
  return index !== undefined && /^\d{1,3}$/.test(index) ? Number(index) : undefined;
}

function applied({ update }: Row): PushResult {
  return { pushId: update.pushId, outcome: 'applied' };
}

function rejected({ pushId }: InventoryUpdate, code: string, reason: string, retryable = false): PushResult {
  return { pushId, outcome: 'rejected', code, reason, retryable };
}

function unanswered(update: InventoryUpdate, error: ChannelError): PushResult {
  return rejected(update, error.code, error.message, error.retryable);
}
