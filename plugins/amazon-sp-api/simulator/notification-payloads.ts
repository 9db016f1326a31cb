import type { OrderDocumentLine } from 'onhand/channel-api';
import type { FbaItem } from './fba-inventory';
import type { Feed } from './feeds';
import type { AmazonOrder, OrderChange } from './order-book';
import { type FulfillmentStatus, statusOf } from './orders';

/** Notifications spell what the API spells otherwise. */
const STATUSES: Readonly<Record<FulfillmentStatus, string>> = {
  PENDING: 'Pending',
  UNSHIPPED: 'Unshipped',
  PARTIALLY_SHIPPED: 'PartiallyShipped',
  SHIPPED: 'Shipped',
  CANCELLED: 'Canceled',
};

/** The payload of ORDER_CHANGE: a summary of the order as it stands when this is sent. */
export function orderChange(sellerId: string, order: AmazonOrder, change: OrderChange): object {
  const { orderId, marketplaceId, fulfilledBy, document } = order;
  const count = (of: (line: OrderDocumentLine) => number) =>
    document.lines.reduce((sum, line) => sum + of(line), 0);
  return {
    OrderChangeNotification: {
      NotificationLevel: 'OrderLevel',
      SellerId: sellerId,
      AmazonOrderId: orderId,
      OrderChangeType: change,
      OrderChangeTrigger: {
        TimeOfOrderChange: new Date(document.revision).toISOString(),
        ChangeReason: change === 'BuyerRequestedChange' ? 'Buyer Requested Cancel' : 'Order Status Change',
      },
      Summary: {
        MarketplaceId: marketplaceId,
        OrderStatus: STATUSES[statusOf(order)],
        PurchaseDate: document.placedAt,
        DestinationPostalCode: '48110',
        FulfillmentType: fulfilledBy === 'AMAZON' ? 'AFN' : 'MFN',
        OrderType: 'StandardOrder',
        NumberOfItemsShipped: count(({ fulfilled }) => fulfilled),
        NumberOfItemsUnshipped: count(({ ordered, cancelled, fulfilled }) => ordered - cancelled - fulfilled),
        OrderItems: document.lines.map(({ lineId, channelSku, ordered, fulfilled }) => ({
          OrderItemId: lineId,
          SellerSKU: channelSku,
          SupplySourceId: '',
          OrderItemStatus: fulfilled === ordered ? 'Shipped' : 'Unshipped',
          Quantity: ordered,
          QuantityShipped: fulfilled,
          IsBuyerRequestedCancel: order.buyerAsksToCancel,
        })),
      },
    },
  };
}

/** The payload of FEED_PROCESSING_FINISHED; the keys are put into camel case on the way. */
export function feedFinished(sellerId: string, feed: Feed): object {
  const { feedId, feedType, processingStatus, resultFeedDocumentId } = feed;
  return {
    FeedProcessingFinishedNotification: {
      SellerId: sellerId,
      AccountId: `amzn1.merchant.o.${sellerId}`,
      FeedId: feedId,
      FeedType: feedType,
      ProcessingStatus: processingStatus,
      ...(resultFeedDocumentId === undefined ? {} : { ResultFeedDocumentId: resultFeedDocumentId }),
    },
  };
}

export function quantityChange(sellerId: string, sku: string, quantityUnits: number): object {
  return { SellerId: sellerId, FulfillmentChannelCode: 'DEFAULT', Sku: sku, Quantity: quantityUnits };
}

/** The payload of FBA_INVENTORY_AVAILABILITY_CHANGES: the same pool of units in each marketplace. */
export function fbaChange(sellerId: string, marketplaceIds: readonly string[], item: FbaItem): object {
  const { sku, fulfillableUnits, reservedUnits, unfulfillableUnits, inboundUnits } = item;
  const FulfillmentInventory = {
    InboundQuantityBreakdown: { Working: 0, Shipped: inboundUnits, Receiving: 0 },
    Fulfillable: fulfillableUnits,
    Unfulfillable: unfulfillableUnits,
    Researching: 0,
    ReservedQuantityBreakdown: {
      WarehouseProcessing: 0,
      WarehouseTransfer: 0,
      PendingCustomerOrder: reservedUnits,
    },
    FutureSupplyBuyable: 0,
    PendingCustomerOrderInTransit: 0,
  };
  return {
    ...{ SellerId: sellerId, FNSKU: `X00${sku.length}`, ASIN: 'B000000000', SKU: sku },
    FulfillmentInventoryByMarketplace: marketplaceIds.map((MarketplaceId) => ({
      ...{ MarketplaceId, ItemName: sku, FulfillmentInventory },
    })),
  };
}
