import type { OrderDocument, SimulatedItem } from 'onhand/channel-api';

/** Items and orders as the shop's API and its webhooks give them. */
export class Wire {
  constructor(
    private readonly spoiled: ReadonlySet<string>,
    private readonly byLocation: boolean,
  ) {}

  order({ orderId, revision, placedAt, updatedAt, lines }: OrderDocument): object {
    return {
      id: orderId,
      revision,
      placed_at: this.spoiled.has(orderId) ? 'the day before yesterday' : placedAt,
      updated_at: updatedAt,
      lines: lines.map(
        ({ lineId, channelSku, channelLocation, ordered, cancelled, fulfilled, returned }) => ({
          id: lineId,
          sku: channelSku,
          ...(channelLocation === undefined ? {} : { location: channelLocation }),
          ordered,
          cancelled,
          fulfilled,
          returned,
        }),
      ),
    };
  }

  item({ channelSku, channelLocation, quantityUnits, title, barcode }: SimulatedItem): object {
    return {
      sku: channelSku,
      ...(this.byLocation ? { location: channelLocation } : {}),
      quantity: this.spoiled.has(channelSku) ? 'plenty' : quantityUnits,
      title,
      barcode,
    };
  }
}
