import type { ChannelDocument, OrderDocument, WebhookRequest } from '../contract';
import type { ChannelSimulator, WebhookDelivery } from '../simulator';
import type { ConnectedChannel } from './connected-channel';
import { expectThat } from './expectations';

/** A webhook as the host hands it over. */
export function requestOf({ headers, body }: WebhookDelivery): WebhookRequest {
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { method: 'POST', path: '/', headers: Object.fromEntries(lowered) as Record<string, string>, body };
}

/** What a webhook comes to: an order that it only names is read, as the host does. */
export async function documentsOf(
  { channel }: Pick<ConnectedChannel, 'channel'>,
  request: WebhookRequest,
): Promise<ChannelDocument[]> {
  const documents: ChannelDocument[] = [];
  for (const document of channel.translateWebhook(request)) {
    if (document.kind !== 'order-changed') documents.push(document);
    else {
      const order = await channel.readOrder?.(document.orderId);
      expectThat(
        order !== undefined,
        'A channel whose webhooks translate to `order-changed` has readOrder, which gives the order',
        document,
      );
      documents.push(order!);
    }
  }
  return documents;
}

/** The channel's webhooks name an order, and do not say how it stands. */
export function namesOrdersOnly(documents: readonly ChannelDocument[]): boolean {
  return documents.length > 0 && documents.every(({ kind }) => kind === 'order-changed');
}

export function placeOrder(simulator: ChannelSimulator, orderId: string, lineId = 'l-1'): OrderDocument {
  return simulator.placeOrder({
    orderId,
    placedAt: '2025-03-01T10:00:00.000Z',
    lines: [{ lineId, channelSku: 'SKU-1', quantityUnits: 2 }],
  });
}

/** The webhook of a new order. */
export function orderWebhook(simulator: ChannelSimulator, orderId = 'o-1'): WebhookDelivery {
  placeOrder(simulator, orderId);
  return simulator.webhookFor(orderId);
}
