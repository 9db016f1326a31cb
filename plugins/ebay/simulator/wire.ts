import type { OrderDocument, OrderDocumentLine, SimulatedItem } from 'onhand/channel-api';
import type { EbayStock } from './stock';

export const MARKETPLACE = 'EBAY_DE';
export const CURRENCY = 'EUR';
export const SELLER = { userId: 'simulated-seller-id', username: 'simulated_seller' };
const PRICE = 10;

export interface CancelRequestView {
  cancelRequestId: string;
  cancelInitiator: 'Buyer' | 'Seller';
  cancelReason: string;
  cancelRequestState: 'REQUESTED' | 'COMPLETED';
  cancelRequestedDate: string;
  cancelCompletedDate?: string;
}

export interface RefundView {
  refundId: string;
  refundStatus: 'PENDING' | 'REFUNDED' | 'FAILED';
  refundDate: string;
  amount: { value: string; currency: string };
}

/** What of an order is not in the shop's document. */
export interface OrderExtras {
  cancelRequests: CancelRequestView[];
  refunds: RefundView[];
}

/** Items, offers and orders as the Inventory and Fulfillment APIs give them. */
export class Wire {
  constructor(
    private readonly stock: EbayStock,
    private readonly spoiled: ReadonlySet<string>,
  ) {}

  item(item: SimulatedItem): object {
    const { channelSku, title, barcode } = item;
    const quantity = this.spoiled.has(channelSku) ? 'plenty' : this.stock.quantities(item).shipTo;
    return {
      sku: channelSku,
      locale: 'de_DE',
      condition: 'NEW',
      product: { title, ...(barcode !== undefined && { ean: [barcode] }) },
      availability: {
        shipToLocationAvailability: { quantity, allocationByFormat: { auction: 0, fixedPrice: quantity } },
      },
    };
  }

  offer(item: SimulatedItem): object {
    const { channelSku, quantityUnits } = item;
    const { offerId, listingId } = this.stock.idsOf(channelSku);
    return {
      offerId,
      sku: channelSku,
      marketplaceId: MARKETPLACE,
      format: 'FIXED_PRICE',
      listingDuration: 'GTC',
      availableQuantity: this.spoiled.has(channelSku) ? 'plenty' : this.stock.quantities(item).offer,
      pricingSummary: { price: amountOf(PRICE) },
      status: 'PUBLISHED',
      listing: { listingId, listingStatus: quantityUnits > 0 ? 'ACTIVE' : 'OUT_OF_STOCK', soldQuantity: 0 },
    };
  }

  /** `getOrders` gives the requests for cancellation as an empty list, always; `getOrder` gives them. */
  order(order: OrderDocument, extras: OrderExtras, { isAlone }: { isAlone: boolean }): object {
    const { orderId, placedAt, updatedAt, lines } = order;
    const total = amountOf(totalOf(order));
    return {
      orderId,
      creationDate: this.spoiled.has(orderId) ? 'the day before yesterday' : placedAt,
      lastModifiedDate: updatedAt,
      sellerId: SELLER.username,
      buyer: { username: 'simulated_buyer' },
      orderFulfillmentStatus: fulfilmentOf(lines),
      orderPaymentStatus: paymentOf(extras.refunds),
      cancelStatus: {
        cancelState: cancelStateOf(order, extras.cancelRequests),
        cancelRequests: isAlone ? extras.cancelRequests : [],
      },
      pricingSummary: { priceSubtotal: total, total },
      paymentSummary: {
        totalDueSeller: total,
        payments: [{ paymentMethod: 'EBAY', paymentStatus: 'PAID', paymentDate: placedAt, amount: total }],
        refunds: extras.refunds,
      },
      fulfillmentStartInstructions: [
        { fulfillmentInstructionsType: 'SHIP_TO', ebaySupportedFulfillment: false },
      ],
      fulfillmentHrefs: [],
      lineItems: lines.map((line) => this.line(line)),
    };
  }

  private line(line: OrderDocumentLine): object {
    const { lineId, channelSku, ordered } = line;
    const { listingId } = this.stock.idsOf(channelSku);
    const total = amountOf(PRICE * ordered);
    return {
      lineItemId: lineId,
      legacyItemId: listingId,
      // A legacy listing need not have a SKU, and these have none.
      ...(!this.stock.isLegacy(channelSku) && { sku: channelSku }),
      title: channelSku,
      quantity: ordered,
      lineItemCost: total,
      total,
      soldFormat: 'FIXED_PRICE',
      listingMarketplaceId: MARKETPLACE,
      purchaseMarketplaceId: MARKETPLACE,
      lineItemFulfillmentStatus: fulfilmentOf([line]),
      refunds: [],
      taxes: [],
      properties: { buyerProtection: true },
    };
  }
}

export function totalOf({ lines }: OrderDocument): number {
  return lines.reduce((sum, { ordered }) => sum + ordered * PRICE, 0);
}

export function amountOf(value: number): { value: string; currency: string } {
  return { value: value.toFixed(2), currency: CURRENCY };
}

export function isCancelled({ lines }: OrderDocument): boolean {
  return lines.some(({ cancelled }) => cancelled > 0) && lines.every(({ fulfilled }) => fulfilled === 0);
}

function fulfilmentOf(lines: readonly OrderDocumentLine[]): string {
  if (lines.every(({ fulfilled }) => fulfilled === 0)) return 'NOT_STARTED';
  return lines.every(({ ordered, cancelled, fulfilled }) => fulfilled >= ordered - cancelled)
    ? 'FULFILLED'
    : 'IN_PROGRESS';
}

function paymentOf(refunds: readonly RefundView[]): string {
  return refunds.some(({ refundStatus }) => refundStatus === 'REFUNDED') ? 'FULLY_REFUNDED' : 'PAID';
}

function cancelStateOf(order: OrderDocument, requests: readonly CancelRequestView[]): string {
  if (isCancelled(order)) return 'CANCELED';
  return requests.length > 0 ? 'IN_PROGRESS' : 'NONE_REQUESTED';
}
