import { type OrderDocument, UntranslatableError } from '../channel-api';

const MAX_LINES = 5_000;
const MAX_UNITS = 1_000_000_000;
/** Half a surrogate pair has no place in PostgreSQL either. */
const ID = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

/**
 * A plugin's order, checked before it is stored: plugins read what strangers send. Throws
 * `UntranslatableError` naming the field, so that the document is parked.
 */
export function checkedOrder(order: OrderDocument): OrderDocument {
  text(order.orderId, 'orderId');
  if (!Number.isSafeInteger(order.revision) || order.revision < 0)
    fault('revision', 'must be a whole number, 0 or more');
  time(order.placedAt, 'placedAt');
  if (order.updatedAt !== undefined) time(order.updatedAt, 'updatedAt');
  if (!Array.isArray(order.lines) || order.lines.length > MAX_LINES)
    fault('lines', `must be a list of at most ${MAX_LINES}`);
  const seen = new Set<string>();
  order.lines.forEach((line, index) => {
    const at = `lines[${index}]`;
    if (typeof line !== 'object' || line === null) fault(at, 'must be an object');
    text(line.lineId, `${at}.lineId`);
    text(line.channelSku, `${at}.channelSku`);
    if (line.channelLocation !== undefined) text(line.channelLocation, `${at}.channelLocation`);
    if (seen.has(line.lineId)) fault(`${at}.lineId`, 'is there twice');
    seen.add(line.lineId);
    for (const field of ['ordered', 'cancelled', 'fulfilled', 'returned'] as const) {
      const units = line[field];
      if (!Number.isSafeInteger(units) || units < 0 || units > MAX_UNITS)
        fault(`${at}.${field}`, `must be a whole number from 0 to ${MAX_UNITS}`);
    }
    if (line.cancelled > line.ordered) fault(`${at}.cancelled`, 'must not exceed what was ordered');
  });
  return order;
}

function text(value: unknown, field: string): void {
  if (typeof value !== 'string' || !ID.test(value)) fault(field, 'must be 1 to 200 printable characters');
}

function time(value: unknown, field: string): void {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) fault(field, 'must be an ISO 8601 time');
}

function fault(field: string, message: string): never {
  throw new UntranslatableError(`the order's ${field} ${message}`);
}
