import { setTimeout as sleep } from 'node:timers/promises';
import { GraphQLError, type GraphQLResolveInfo } from 'graphql';
import { STOCKS_ANYWHERE_SINCE } from './admin-schema';
import { type CallContext, MOST_ITEMS } from './connection';
import type { Idempotency } from './idempotency';
import { gid, idOf, type IdSequence } from './ids';
import { refusal, ShopRefusal, type UserError } from './refusal';
import { emptyLevel, quantityOf, type Stock, type StockLevel } from './stock';
import type { StockNodes } from './stock-nodes';

interface QuantityRow {
  inventoryItemId: string;
  locationId: string;
  quantity: number;
  changeFromQuantity?: number | null;
}

interface SetQuantitiesInput {
  name: string;
  reason: string;
  referenceDocumentUri?: string | null;
  quantities: QuantityRow[];
}

const MOST_UNITS = 1_000_000_000;
/** shopify.dev/docs/apps/build/orders-fulfillment/inventory-management-apps/manage-quantities-states */
const REASONS = [
  ...['correction', 'cycle_count_available', 'damaged', 'movement_canceled', 'movement_created'],
  ...['movement_received', 'movement_updated', 'other', 'promotion', 'quality_control', 'received'],
  ...[
    'reservation_created',
    'reservation_deleted',
    'reservation_updated',
    'restock',
    'safety_stock',
    'shrinkage',
  ],
];

/** Sets quantities and stocks items at locations, with the refusals of 2026-04 and later. */
export class InventoryMutations {
  /** The sizes of the batches that were set, those with no change among them. */
  readonly batches: number[] = [];

  constructor(
    private readonly stock: Stock,
    private readonly nodes: StockNodes,
    private readonly ids: IdSequence,
    private readonly idempotency: Idempotency,
    /** How long a mutation is under way: for so long its key is refused as being in progress. */
    private readonly processingMs: number,
  ) {}

  setQuantities = async (
    { input }: { input: SetQuantitiesInput },
    { pretend, apiVersion }: CallContext,
    info: GraphQLResolveInfo,
  ): Promise<object> => {
    requireFewRows(input.quantities.length, info);
    requireComparison(input.quantities, info);
    try {
      return await this.idempotency.once(info, input, async () => {
        if (this.processingMs > 0) await sleep(this.processingMs);
        const levels = this.checked(input, apiVersion >= STOCKS_ANYWHERE_SINCE);
        this.batches.push(levels.length);
        return {
          inventoryAdjustmentGroup: pretend ? { id: this.newGroup() } : this.apply(input, levels),
          userErrors: [],
        };
      });
    } catch (error) {
      return { inventoryAdjustmentGroup: null, userErrors: errorsOf(error) };
    }
  };

  activate = async (
    args: { inventoryItemId: string; locationId: string; available?: number | null },
    _context: CallContext,
    info: GraphQLResolveInfo,
  ): Promise<object> => {
    try {
      return await this.idempotency.once(info, args, () => ({
        inventoryLevel: this.nodes.level(this.activated(args)),
        userErrors: [],
      }));
    } catch (error) {
      return { inventoryLevel: null, userErrors: errorsOf(error) };
    }
  };

  private activated(args: {
    inventoryItemId: string;
    locationId: string;
    available?: number | null;
  }): StockLevel {
    const item = this.stock.item(idOf('InventoryItem', args.inventoryItemId));
    const location = this.stock.location(idOf('Location', args.locationId));
    if (!item) throw refusal(['inventoryItemId'], 'The inventory item could not be found.');
    if (!location) throw refusal(['locationId'], 'The location could not be found.');
    if (item.levels.has(location.id) && args.available != null)
      throw refusal(
        ['available'],
        'Not allowed to set available quantity when the item is already active at the location.',
      );
    const level = this.stock.activate(item, location);
    if (args.available != null) this.stock.setAvailable(level, args.available);
    return level;
  }

  /** All rows, or a refusal that names each row at fault; nothing is set then. */
  private checked(input: SetQuantitiesInput, stocksAnywhere: boolean): StockLevel[] {
    const errors: UserError[] = [];
    if (!['available', 'on_hand'].includes(input.name))
      errors.push(
        fault(['name'], 'INVALID_NAME', "The quantity name must be either 'available' or 'on_hand'."),
      );
    if (!REASONS.includes(input.reason))
      errors.push(fault(['reason'], 'INVALID_REASON', 'The specified reason is invalid.'));
    if (input.referenceDocumentUri != null && !/^[a-z][a-z0-9+.-]*:\S+$/i.test(input.referenceDocumentUri))
      errors.push(
        fault(
          ['referenceDocumentUri'],
          'INVALID_REFERENCE_DOCUMENT',
          'The specified reference document is invalid.',
        ),
      );
    const places = new Set<string>();
    const levels = input.quantities.flatMap((row, index) => {
      const found = this.levelOf(row, index, stocksAnywhere);
      const place = `${row.inventoryItemId} ${row.locationId}`;
      if (places.has(place)) errors.push(duplicateRow(index));
      places.add(place);
      if ('code' in found) errors.push(found);
      else errors.push(...faultsOf(row, index, input.name, found));
      return 'code' in found ? [] : [found];
    });
    if (errors.length > 0) throw new ShopRefusal(errors);
    return levels;
  }

  private levelOf(
    { inventoryItemId, locationId }: QuantityRow,
    index: number,
    stocksAnywhere: boolean,
  ): StockLevel | UserError {
    const item = this.stock.item(idOf('InventoryItem', inventoryItemId));
    if (!item)
      return rowFault(
        index,
        'inventoryItemId',
        'INVALID_INVENTORY_ITEM',
        'The specified inventory item could not be found.',
      );
    const location = this.stock.location(idOf('Location', locationId));
    if (!location)
      return rowFault(index, 'locationId', 'INVALID_LOCATION', 'The specified location could not be found.');
    const stocked = item.levels.get(location.id);
    if (stocked || stocksAnywhere) return stocked ?? emptyLevel(item, location);
    return rowFault(
      index,
      'locationId',
      'ITEM_NOT_STOCKED_AT_LOCATION',
      'The specified inventory item is not stocked at the location.',
    );
  }

  /** Answers null, and no error, where everything was as wanted already. */
  private apply(
    { name, quantities }: SetQuantitiesInput,
    levels: readonly StockLevel[],
  ): { id: string } | null {
    const changed = levels.filter((level, index) => {
      const wanted = (quantities[index] as QuantityRow).quantity - (name === 'on_hand' ? level.committed : 0);
      const isNew = wanted !== level.available;
      this.stock.setAvailable(this.stock.activate(level.item, level.location), wanted);
      return isNew;
    });
    return changed.length === 0 ? null : { id: this.newGroup() };
  }

  private newGroup(): string {
    return gid('InventoryAdjustmentGroup', this.ids.next());
  }
}

/** What to answer in `userErrors`. Throws what is no refusal. */
export function errorsOf(error: unknown): readonly UserError[] {
  if (error instanceof ShopRefusal) return error.errors;
  throw error;
}

function faultsOf(
  { quantity, changeFromQuantity }: QuantityRow,
  index: number,
  name: string,
  level: StockLevel,
): UserError[] {
  const shown = quantityOf(level, name);
  if (quantity > MOST_UNITS)
    return [
      rowFault(
        index,
        'quantity',
        'INVALID_QUANTITY_TOO_HIGH',
        "The quantity can't be higher than 1,000,000,000.",
      ),
    ];
  if (name === 'on_hand' && quantity < 0)
    return [rowFault(index, 'quantity', 'INVALID_QUANTITY_NEGATIVE', "The quantity can't be negative.")];
  if (quantity < -MOST_UNITS)
    return [
      rowFault(
        index,
        'quantity',
        'INVALID_QUANTITY_TOO_LOW',
        "The quantity can't be lower than -1,000,000,000.",
      ),
    ];
  if (changeFromQuantity == null || changeFromQuantity === shown) return [];
  return [
    rowFault(
      index,
      'changeFromQuantity',
      'CHANGE_FROM_QUANTITY_STALE',
      'The changeFromQuantity value does not match persisted value.',
    ),
  ];
}

function duplicateRow(index: number): UserError {
  const message = 'The combination of inventoryItemId and locationId must be unique.';
  return rowFault(index, 'locationId', 'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR', message);
}

function rowFault(index: number, field: string, code: string, message: string): UserError {
  return fault(['quantities', String(index), field], code, message);
}

function fault(field: string[], code: string, message: string): UserError {
  return { field: ['input', ...field], code, message };
}

/** Arrays of all inputs have at most 250 members (shopify.dev/api/usage/limits). */
function requireFewRows(size: number, { fieldNodes, fieldName }: GraphQLResolveInfo): void {
  if (size <= MOST_ITEMS) return;
  throw new GraphQLError(
    `The input array size of ${size} is greater than the maximum allowed of ${MOST_ITEMS}.`,
    {
      nodes: fieldNodes,
      path: [fieldName, 'input', 'quantities'],
      extensions: { code: 'MAX_INPUT_SIZE_EXCEEDED' },
    },
  );
}

/** Since 2026-04 it must be there; null is "do not compare" (shopify.dev/changelog/making-changefromquantity-field-required). */
function requireComparison(
  rows: readonly QuantityRow[],
  { fieldNodes, fieldName }: GraphQLResolveInfo,
): void {
  if (rows.every((row) => row.changeFromQuantity !== undefined)) return;
  throw new GraphQLError('InventoryQuantityInput must include the following argument: changeFromQuantity.', {
    nodes: fieldNodes,
    path: [fieldName],
    extensions: { code: 'INVALID_FIELD_ARGUMENTS' },
  });
}
