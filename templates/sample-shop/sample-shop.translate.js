import { UntranslatableError } from 'onhand/channel-api';

/**
 * The shop's order → ours. Pure. Messages name the field and what it must be, never its value: an order holds
 * the buyer's data.
 * @param {unknown} value
 * @returns {import('onhand/channel-api').OrderDocument}
 */
export function translateOrder(value) {
  const order = object(value, 'the order');
  return {
    kind: 'order',
    orderId: id(order.id, 'id'),
    revision: count(order.version, 'version'),
    placedAt: instant(order.created_at, 'created_at'),
    updatedAt: instant(order.updated_at, 'updated_at'),
    lines: list(order.lines, 'lines').map((each) => {
      const line = object(each, 'a line');
      return {
        lineId: id(line.id, 'lines[].id'),
        channelSku: id(line.sku, 'lines[].sku'),
        ordered: count(line.quantity, 'lines[].quantity'),
        cancelled: count(line.cancelled, 'lines[].cancelled'),
        fulfilled: count(line.shipped, 'lines[].shipped'),
        returned: count(line.returned, 'lines[].returned'),
      };
    }),
  };
}

/**
 * @param {unknown} value
 * @returns {import('onhand/channel-api').ShownInventory}
 */
export function translateStock(value) {
  const row = object(value, 'the row');
  return {
    channelSku: id(row.sku, 'sku'),
    quantityUnits: count(row.quantity, 'quantity'),
    ...(typeof row.title === 'string' ? { title: row.title } : {}),
  };
}

/**
 * Each row by itself: what cannot be understood is set aside for a person, and costs no other row.
 * @template T
 * @param {readonly unknown[]} rows
 * @param {string} idField
 * @param {(row: unknown) => T} translate
 * @returns {{ items: T[], unreadable: import('onhand/channel-api').UnreadableItem[] }}
 */
export function translatePage(rows, idField, translate) {
  const items = [];
  const unreadable = [];
  for (const row of rows) {
    try {
      items.push(translate(row));
    } catch (error) {
      if (!(error instanceof UntranslatableError)) throw error;
      const given = /** @type {Record<string, unknown> | null} */ (row)?.[idField];
      unreadable.push({ id: String(given ?? ''), reason: error.message, body: JSON.stringify(row) });
    }
  }
  return { items, unreadable };
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {Record<string, unknown>}
 */
function object(value, name) {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new UntranslatableError(`${name} must be a JSON object`);
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {unknown[]}
 */
function list(value, name) {
  if (Array.isArray(value)) return value;
  throw new UntranslatableError(`${name} must be a list`);
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function id(value, name) {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text === 'string' && text.trim() !== '' && text.length <= 255) return text;
  throw new UntranslatableError(`${name} must be a text or a whole number`);
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function count(value, name) {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new UntranslatableError(`${name} must be a whole number, 0 or more`);
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function instant(value, name) {
  const date = new Date(typeof value === 'string' ? value : NaN);
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new UntranslatableError(`${name} must be an ISO 8601 time`);
}
