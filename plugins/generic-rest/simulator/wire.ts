import type { OrderDocument } from 'onhand/channel-api';
import type { ShopItem } from './shop';

/** Items and orders as the shop's API and its webhooks give them. */
export class Wire {
  /** SKUs and order ids that are given as nothing documents them. */
  readonly spoiled = new Set<string>();

  constructor(private readonly byLocation: boolean) {}

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

  item({ channelSku, channelLocation, quantityUnits, title }: ShopItem): object {
    return {
      sku: channelSku,
      ...(this.byLocation ? { location: channelLocation } : {}),
      quantity: this.spoiled.has(channelSku) ? 'plenty' : quantityUnits,
      title,
    };
  }
}
