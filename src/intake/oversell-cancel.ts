import type { OrderDocument } from '../channel-api';
import { type MessageVariables, renderMessage } from '../config/message-template';
import type { LineMapping } from './orders.service';

/** Units of a listing to be cancelled, of those that the order wanted when that was decided. */
export interface CancelledLine {
  lineId: string;
  quantityUnits: number;
  wantedUnits: number;
}

/** What is short of one of a line's SKUs, in our units. */
export interface ShortUnits {
  lineId: string;
  skuId: number;
  quantity: number;
}

const LINES_NAMED = 10;

/** Whole listings: of a pack or bundle that lacks any of its units, nothing can be sent. */
export function linesToCancel(
  order: OrderDocument,
  mapping: LineMapping,
  short: readonly ShortUnits[],
): CancelledLine[] {
  return order.lines.flatMap((line) => {
    const packs = short
      .filter(({ lineId }) => lineId === line.lineId)
      .map(({ skuId, quantity }) => {
        const units = mapping[line.lineId]?.find((component) => component.skuId === skuId)?.units ?? 1;
        return Math.ceil(quantity / units);
      });
    const wantedUnits = wanted(line);
    const quantityUnits = Math.min(Math.max(0, ...packs), wantedUnits - line.fulfilled);
    return quantityUnits > 0 ? [{ lineId: line.lineId, quantityUnits, wantedUnits }] : [];
  });
}

/** Whether the order says of each line that these units are wanted no more. */
export function isCancelledIn(order: OrderDocument, lines: readonly CancelledLine[]): boolean {
  return lines.every(({ lineId, quantityUnits, wantedUnits }) => {
    const line = order.lines.find((each) => each.lineId === lineId);
    return (line ? wanted(line) : 0) <= wantedUnits - quantityUnits;
  });
}

/** The message to the customer, as the channel's template has it. */
export function apology(
  template: string,
  channel: string,
  order: OrderDocument,
  lines: readonly CancelledLine[],
): string {
  const named = lines.slice(0, LINES_NAMED).map(({ lineId, quantityUnits }) => {
    const sku = order.lines.find((line) => line.lineId === lineId)!.channelSku;
    return `${quantityUnits} × ${sku}`;
  });
  if (lines.length > LINES_NAMED) named.push(`and ${lines.length - LINES_NAMED} more`);
  const variables: MessageVariables = {
    orderId: order.orderId,
    channel,
    lines: named.join(', '),
    units: String(lines.reduce((sum, line) => sum + line.quantityUnits, 0)),
  };
  return renderMessage(template, variables);
}

function wanted({ ordered, cancelled }: OrderDocument['lines'][number]): number {
  return ordered - cancelled;
}
