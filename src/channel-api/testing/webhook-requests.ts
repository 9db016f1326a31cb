import type { OrderDocument, WebhookRequest } from '../contract';
import type { ChannelSimulator, WebhookDelivery } from '../simulator';

/** A webhook as the host hands it over. */
export function requestOf({ headers, body }: WebhookDelivery): WebhookRequest {
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { method: 'POST', path: '/', headers: Object.fromEntries(lowered) as Record<string, string>, body };
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
