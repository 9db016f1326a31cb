import { UntranslatableError } from 'onhand/channel-api';
import type {
  InventoryUpdate,
  OrderDocument,
  OrderDocumentLine,
  Page,
  ShownInventory,
} from 'onhand/channel-api';
import {
  fieldOf,
  jsonText,
  readCount,
  readId,
  readInstant,
  readLabel,
  setField,
  type Field,
} from './generic-rest.fields';
import type { InventoryFields, OrderFields, PushFields } from './generic-rest.options';

/**
 * An order as the shop gives it → an order document. Pure. Throws `UntranslatableError` that names the
 * field and what it must be, never what it is: an order holds its buyer's data.
 */
export function translateOrder(order: unknown, fields: OrderFields): OrderDocument {
  const root = { value: order, path: '' };
  requireObject(root, 'the order');
  const updatedAtField = fieldOf(root, fields.updatedAt ?? 'updated_at');
  const document: OrderDocument = {
    kind: 'order',
    orderId: readId(fieldOf(root, fields.id)),
    revision: readRevision(root, fields),
    placedAt: readInstant(fieldOf(root, fields.placedAt)),
    lines: translateLines(fieldOf(root, fields.lines), fields),
  };
  if (updatedAtField.value !== undefined) document.updatedAt = readInstant(updatedAtField);
  return document;
}

/** One scale only: a revision that is at times a count and at times a time would order changes wrongly. */
function readRevision(root: Field, fields: OrderFields): number {
  if (fields.revision === undefined && fields.updatedAt !== undefined) {
    return Date.parse(readInstant(fieldOf(root, fields.updatedAt)));
  }
  return readCount(fieldOf(root, fields.revision ?? 'revision'));
}

function translateLines(lines: Field, fields: OrderFields): OrderDocumentLine[] {
  if (!Array.isArray(lines.value))
    throw new UntranslatableError(`${lines.path} must be a list of order lines`);
  const translated = lines.value.map((value: unknown, index) =>
    translateLine({ value, path: `${lines.path}[${index}]` }, fields),
  );
  const ids = new Set(translated.map((line) => line.lineId));
  if (ids.size < translated.length) {
    throw new UntranslatableError(`${lines.path} has the same ${fields.lineId} on two lines`);
  }
  return translated;
}

function translateLine(line: Field, fields: OrderFields): OrderDocumentLine {
  requireObject(line, line.path);
  const location = fields.location === undefined ? undefined : fieldOf(line, fields.location);
  return {
    lineId: readId(fieldOf(line, fields.lineId)),
    channelSku: readId(fieldOf(line, fields.sku)),
    ...(location?.value === undefined || location.value === null
      ? {}
      : { channelLocation: readId(location) }),
    ordered: readCount(fieldOf(line, fields.ordered)),
    cancelled: readCount(fieldOf(line, fields.cancelled), 0),
    fulfilled: readCount(fieldOf(line, fields.fulfilled), 0),
    returned: readCount(fieldOf(line, fields.returned), 0),
  };
}

/** A row of the shop's inventory → what it shows. Pure. Throws `UntranslatableError` as `translateOrder`. */
export function translateInventory(row: unknown, fields: InventoryFields): ShownInventory {
  const root = { value: row, path: '' };
  requireObject(root, 'the inventory row');
  const location = fields.location === undefined ? undefined : fieldOf(root, fields.location);
  const title = readLabel(fieldOf(root, fields.title));
  const barcode = readLabel(fieldOf(root, fields.barcode));
  return {
    channelSku: readId(fieldOf(root, fields.sku)),
    ...(location?.value === undefined || location.value === null
      ? {}
      : { channelLocation: readId(location) }),
    quantityUnits: readCount(fieldOf(root, fields.quantity)),
    ...(title === undefined ? {} : { title }),
    ...(barcode === undefined ? {} : { barcode }),
  };
}

/** Translates each row by itself: what cannot be understood is set aside and costs no other row. */
export function translatePage<T>(
  rows: readonly unknown[],
  idPath: string,
  translate: (row: unknown) => T,
): Pick<Page<T>, 'items' | 'unreadable'> {
  const items: T[] = [];
  const unreadable: NonNullable<Page<T>['unreadable']> = [];
  for (const row of rows) {
    try {
      items.push(translate(row));
    } catch (error) {
      if (!(error instanceof UntranslatableError)) throw error;
      const id = readLabel(fieldOf({ value: row, path: '' }, idPath));
      unreadable.push({
        ...(id === undefined ? {} : { id }),
        reason: error.message,
        body: jsonText(row, 100_000),
      });
    }
  }
  return unreadable.length === 0 ? { items } : { items, unreadable };
}

/** An update → the row the shop takes. */
export function pushRow(update: InventoryUpdate, fields: PushFields): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  setField(row, fields.sku, update.channelSku);
  setField(row, fields.quantity, update.quantityUnits);
  if (fields.location !== undefined && update.channelLocation !== undefined) {
    setField(row, fields.location, update.channelLocation);
  }
  if (fields.expected !== undefined && update.believedUnits !== undefined) {
    setField(row, fields.expected, update.believedUnits);
  }
  return row;
}

function requireObject({ value }: Field, name: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new UntranslatableError(`${name} must be a JSON object`);
}
