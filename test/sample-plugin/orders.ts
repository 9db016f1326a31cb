import { UntranslatableError, type OrderDocument } from 'onhand/channel-api';

/** An order as JSON Shop writes it, in webhooks and in its list of orders. */
export interface ShopOrder {
  number: string;
  version: number;
  created: string;
  changed: string;
  lines: {
    line: number;
    sku: string;
    quantity: number;
    cancelled: number;
    shipped: number;
    returned: number;
  }[];
}

/** Throws `UntranslatableError` where the body is not what the shop documents. */
export function parseOrder(body: Buffer): OrderDocument {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new UntranslatableError('the body is not JSON');
  }
  return translateOrder(value);
}

/** Throws `UntranslatableError`, naming the field and what it has to be. */
export function translateOrder(value: unknown): OrderDocument {
  const order = (value ?? {}) as Partial<ShopOrder>;
  if (typeof order.number !== 'string') throw new UntranslatableError('number must be a text');
  if (!Number.isSafeInteger(order.version)) throw new UntranslatableError('version must be a whole number');
  if (!isTime(order.created)) throw new UntranslatableError('created must be an ISO time');
  if (!Array.isArray(order.lines)) throw new UntranslatableError('lines must be a list');
  return {
    kind: 'order',
    orderId: order.number,
    revision: order.version as number,
    placedAt: order.created,
    updatedAt: isTime(order.changed) ? order.changed : order.created,
    lines: order.lines.map((line) => ({
      lineId: String(line?.line),
      channelSku: text(line?.sku, 'sku'),
      ordered: count(line?.quantity, 'quantity'),
      cancelled: count(line?.cancelled, 'cancelled'),
      fulfilled: count(line?.shipped, 'shipped'),
      returned: count(line?.returned, 'returned'),
    })),
  };
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function text(value: unknown, field: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new UntranslatableError(`lines[].${field} must be a text`);
}

function count(value: unknown, field: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new UntranslatableError(`lines[].${field} must be a whole number from 0`);
}
