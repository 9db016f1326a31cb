import {
  parseJsonLossless,
  UntranslatableError,
  type ChannelDocument,
  type WebhookRequest,
} from 'onhand/channel-api';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import { objectOf, textOf, unitsOf } from './amazon-sp-api.translate';

type Fields = Record<string, unknown>;

/** What a notification is of, and which it is. */
export interface Envelope {
  topic: string;
  /** The same one may be published more than once. */
  notificationId: string;
}

/** Never throws: what cannot be understood is known by the queue's own id of its message, and waits for a person. */
export function envelopeOf(body: string, messageId: string): Envelope {
  try {
    const notification = notificationIn(parseJsonLossless(body));
    const metadata = objectOf(fieldOf(notification, 'notificationMetadata'), 'NotificationMetadata');
    return {
      topic: textOf(fieldOf(notification, 'notificationType'), 'NotificationType'),
      notificationId: textOf(fieldOf(metadata, 'notificationId'), 'NotificationId'),
    };
  } catch {
    return { topic: 'unknown', notificationId: messageId };
  }
}

/**
 * Pure. An order is only named: the notification is unordered, may be hours old, and lacks what its order has.
 * Throws `UntranslatableError`.
 */
export function translateNotification(
  { body }: Pick<WebhookRequest, 'body'>,
  options: AmazonSpApiOptions,
): ChannelDocument[] {
  const notification = notificationIn(parsed(body));
  const payload = objectOf(fieldOf(notification, 'payload'), 'Payload');
  switch (fieldOf(notification, 'notificationType')) {
    case 'ORDER_CHANGE':
      return orderChange(objectOf(payload.OrderChangeNotification, 'OrderChangeNotification'), options);
    case 'LISTINGS_ITEM_MFN_QUANTITY_CHANGE':
      return quantityChange(payload, options);
    case 'FBA_INVENTORY_AVAILABILITY_CHANGES':
      return fbaChange(payload, options);
    default:
      // A subscription of somebody else's to the same queue; it says nothing of stock.
      return [];
  }
}

function orderChange(change: Fields, options: AmazonSpApiOptions): ChannelDocument[] {
  requireOwn(change, options);
  const orderId = textOf(change.AmazonOrderId, 'AmazonOrderId');
  const { FulfillmentType: type } = objectOf(change.Summary ?? {}, 'Summary');
  // Amazon ships it from its own stock.
  return type === 'AFN' ? [] : [{ kind: 'order-changed', orderId }];
}

/** Of `DEFAULT` alone: other channels of fulfilment are places that nobody pushes to. */
function quantityChange(payload: Fields, options: AmazonSpApiOptions): ChannelDocument[] {
  requireOwn(payload, options);
  const channelSku = textOf(payload.Sku, 'Sku');
  const quantityUnits = unitsOf(payload.Quantity, 'Quantity');
  if (payload.FulfillmentChannelCode !== 'DEFAULT') return [];
  return [{ kind: 'shown-inventory', items: [{ channelSku, quantityUnits }] }];
}

/** Marketplaces may show one pool of units, so the largest number counts, as in a read. */
function fbaChange(payload: Fields, options: AmazonSpApiOptions): ChannelDocument[] {
  requireOwn(payload, options);
  const { fba, marketplaceIds } = options;
  if (!fba) return [];
  const channelSku = textOf(payload.SKU, 'SKU');
  const places = payload.FulfillmentInventoryByMarketplace;
  if (!Array.isArray(places))
    throw new UntranslatableError('FulfillmentInventoryByMarketplace must be a list');
  const units = places
    .map((place) => objectOf(place, 'FulfillmentInventoryByMarketplace'))
    .filter(({ MarketplaceId: id }) => typeof id === 'string' && marketplaceIds.includes(id))
    .map((place) =>
      unitsOf(objectOf(place.FulfillmentInventory, 'FulfillmentInventory').Fulfillable, 'Fulfillable'),
    );
  if (units.length === 0) return [];
  const quantityUnits = Math.max(...units);
  return [{ kind: 'counted-stock', items: [{ channelSku, channelLocation: fba.location, quantityUnits }] }];
}

/** A queue that two accounts share would take the news of one from the other. */
function requireOwn({ SellerId: sellerId }: Fields, options: AmazonSpApiOptions): void {
  if (sellerId !== options.sellerId)
    throw new UntranslatableError(
      "SellerId is not the channel's; each seller account needs a queue of its own",
    );
}

function parsed(body: Buffer): unknown {
  try {
    return parseJsonLossless(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new UntranslatableError('the notification is not JSON in UTF-8');
  }
}

/** EventBridge wraps a notification into an event of its own, unless its rule says otherwise. */
function notificationIn(value: unknown): Fields {
  const message = objectOf(value, 'the notification');
  return 'detail-type' in message ? objectOf(message.detail, 'detail') : message;
}

/** Some types have their names in PascalCase, others in camelCase. */
function fieldOf(notification: Fields, name: string): unknown {
  return notification[name] ?? notification[name.charAt(0).toUpperCase() + name.slice(1)];
}
