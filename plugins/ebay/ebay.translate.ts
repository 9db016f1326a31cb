import {
  type OrderDocument,
  type OrderDocumentLine,
  type ShownInventory,
  type UnreadableItem,
  UntranslatableError,
} from 'onhand/channel-api';
import {
  countIn,
  idIn,
  instantIn,
  type Json,
  listIn,
  objectIn,
  partOf,
  partsOf,
  textIn,
} from './ebay.fields';

const LONGEST_BODY = 20_000;

/** What an order of `getOrders` does not say itself: units by line item. */
export interface OrderFacts {
  /** Of lines that are shipped in part. */
  shipped?: ReadonlyMap<string, number>;
  returned?: ReadonlyMap<string, number>;
}

/** An item of the Inventory API → what it shows, its offers aside. Pure. Throws `UntranslatableError`. */
export function translateItem(value: unknown): ShownInventory {
  const item = objectIn(value, 'the item');
  const product = partOf(item.product);
  const { quantity } = partOf(partOf(item.availability).shipToLocationAvailability);
  const title = textIn(product.title);
  const barcode = [product.ean, product.upc, product.isbn].flatMap((codes) =>
    Array.isArray(codes) ? codes.map(textIn) : [],
  )[0];
  return {
    channelSku: idIn(item.sku, 'sku'),
    // eBay leaves it out of an item that was never given one, and shows that as out of stock.
    quantityUnits: countIn(quantity ?? 0, 'availability.shipToLocationAvailability.quantity'),
    ...(title !== undefined && { title }),
    ...(barcode !== undefined && { barcode }),
  };
}

/**
 * An order of the Fulfillment API → an order document. Pure. Throws `UntranslatableError` that names the field,
 * never its value: an order holds its buyer's data.
 */
export function translateOrder(value: unknown, { shipped, returned }: OrderFacts = {}): OrderDocument {
  const order = objectIn(value, 'the order');
  const updatedAt = instantIn(order.lastModifiedDate, 'lastModifiedDate');
  const isCancelled = partOf(order.cancelStatus).cancelState === 'CANCELED';
  const lines = listIn(order.lineItems, 'lineItems').map((line, index) =>
    translateLine(objectIn(line, `lineItems[${index}]`), `lineItems[${index}]`, {
      isCancelled,
      shipped,
      returned,
    }),
  );
  if (new Set(lines.map(({ lineId }) => lineId)).size < lines.length)
    throw new UntranslatableError('lineItems has the same lineItemId twice');
  return {
    kind: 'order',
    orderId: idIn(order.orderId, 'orderId'),
    revision: Date.parse(updatedAt),
    placedAt: instantIn(order.creationDate, 'creationDate'),
    updatedAt,
    lines,
  };
}

function translateLine(
  line: Json,
  name: string,
  { isCancelled, shipped, returned }: OrderFacts & { isCancelled: boolean },
): OrderDocumentLine {
  const lineId = idIn(line.lineItemId, `${name}.lineItemId`);
  const ordered = countIn(line.quantity, `${name}.quantity`);
  const fulfilled = Math.min(fulfilledUnits(line, name, ordered, shipped?.get(lineId)), ordered);
  return {
    lineId,
    channelSku: skuOf(line, name),
    ordered,
    cancelled: isCancelled ? ordered - fulfilled : 0,
    fulfilled,
    returned: Math.min(returned?.get(lineId) ?? 0, fulfilled),
  };
}

function fulfilledUnits(line: Json, name: string, ordered: number, shipped: number | undefined): number {
  switch (line.lineItemFulfillmentStatus) {
    case 'FULFILLED':
      return ordered;
    case 'IN_PROGRESS':
      return shipped ?? 0;
    case 'NOT_STARTED':
      return 0;
    default:
      throw new UntranslatableError(
        `${name}.lineItemFulfillmentStatus must be NOT_STARTED, IN_PROGRESS or FULFILLED`,
      );
  }
}

/** A legacy listing need not have a SKU: its id stands for it, and that of the variation behind a slash. */
function skuOf(line: Json, name: string): string {
  const sku = textIn(line.sku);
  if (sku !== undefined) return sku;
  const listingId = idIn(line.legacyItemId, `${name}.legacyItemId (there is no sku)`);
  const variation = line.legacyVariationId;
  const isVariation = variation !== undefined && variation !== null && variation !== '' && variation !== '0';
  return isVariation ? `${listingId}/${idIn(variation, `${name}.legacyVariationId`)}` : listingId;
}

/** Lines that are shipped in part, whose units only the order's shipments tell. */
export function isShippedInPart(order: Json): boolean {
  return partsOf(order.lineItems).some((line) => line.lineItemFulfillmentStatus === 'IN_PROGRESS');
}

export function isShipped(order: Json): boolean {
  return partsOf(order.lineItems).some((line) => line.lineItemFulfillmentStatus !== 'NOT_STARTED');
}

/** Shipments of an order → units by line item. */
export function translateShipments(body: Json): Map<string, number> {
  const units = new Map<string, number>();
  for (const [index, shipment] of partsOf(body.fulfillments).entries()) {
    for (const { lineItemId, quantity } of partsOf(shipment.lineItems)) {
      const lineId = idIn(lineItemId, `fulfillments[${index}].lineItems.lineItemId`);
      // "Default: 1".
      const shipped = countIn(quantity ?? 1, `fulfillments[${index}].lineItems.quantity`);
      units.set(lineId, (units.get(lineId) ?? 0) + shipped);
    }
  }
  return units;
}

const KEPT_OF_ORDER = [
  'orderId',
  'creationDate',
  'lastModifiedDate',
  'orderFulfillmentStatus',
  'cancelStatus',
];
const KEPT_OF_LINE = ['lineItemId', 'legacyItemId', 'legacyVariationId', 'sku', 'quantity'];

/** A row set aside for a person, without what it says of the buyer: nobody could delete that when eBay asks for it. */
export function unreadableItem(row: unknown, idField: string, { message }: Error): UnreadableItem {
  const fields = partOf(row);
  const id = fields[idField];
  const isOrder = idField === 'orderId';
  const kept = isOrder
    ? {
        ...only(fields, KEPT_OF_ORDER),
        lineItems: partsOf(fields.lineItems).map((line) => only(line, KEPT_OF_LINE)),
      }
    : row;
  return {
    ...((typeof id === 'string' || typeof id === 'number') && id !== '' && { id: String(id) }),
    reason: message,
    body: (JSON.stringify(kept) ?? String(kept)).slice(0, LONGEST_BODY),
  };
}

function only(fields: Json, names: readonly string[]): Json {
  return Object.fromEntries(names.filter((name) => name in fields).map((name) => [name, fields[name]]));
}
