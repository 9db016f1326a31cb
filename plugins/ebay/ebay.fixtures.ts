import type { Channel, ChannelSecrets, InventoryUpdate } from 'onhand/channel-api';
import { QuietHost } from 'onhand/channel-api/testing';
import plugin from './ebay.plugin';

/**
 * What the specs connect the plugin with, and answers as eBay's documents describe them; made from these documents,
 * none was recorded. Not part of the package.
 */
export const API = 'https://api.ebay.com';
export const ENDPOINT = 'https://stock.example/webhooks/ebay';
export const VERIFICATION_TOKEN = 'a-verification-token-of-forty-characters';
export const NOW = Date.parse('2026-03-01T12:00:00.000Z');

export interface Connected {
  channel: Channel;
  host: QuietHost;
}

export async function connectEbay(
  options: Record<string, unknown> = {},
  secrets?: ChannelSecrets,
): Promise<Connected> {
  const host = new QuietHost({ channel: 'ebay', nowMs: NOW, secrets });
  const channel = await host.connect(plugin, {
    marketplaceId: 'EBAY_DE',
    clientId: 'app',
    clientSecret: 'cert',
    refreshToken: 'refresh',
    limit: { perSecond: 1_000, burst: 1_000 },
    ...options,
  });
  return { channel, host };
}

export function token(value = 'user-token'): object {
  return { access_token: value, expires_in: 7_200, token_type: 'User Access Token' };
}

export function updates(...rows: [channelSku: string, quantityUnits: number][]): InventoryUpdate[] {
  return rows.map(([channelSku, quantityUnits], index) => ({
    pushId: `p${index}`,
    channelSku,
    quantityUnits,
  }));
}

/** What getOffers answers for a SKU with these offers. */
export function offersOf(
  ...offers: { offerId: string; listingId?: string; format?: string; quantity?: number }[]
) {
  return {
    total: offers.length,
    size: offers.length,
    offers: offers.map(({ offerId, listingId, format = 'FIXED_PRICE', quantity = 1 }) => ({
      offerId,
      format,
      availableQuantity: quantity,
      status: listingId === undefined ? 'UNPUBLISHED' : 'PUBLISHED',
      ...(listingId !== undefined && { listing: { listingId, listingStatus: 'ACTIVE', soldQuantity: 0 } }),
    })),
  };
}

export function ebayError(errorId: number, message = 'Not so.') {
  const domain = 'API_INVENTORY';
  return { errorId, domain, category: 'REQUEST', message, longMessage: message };
}

interface OrderTraits {
  orderId?: string;
  lastModifiedDate?: string;
  cancelState?: string;
  cancelRequests?: object[];
  paymentStatus?: string;
  refunds?: object[];
  lines?: Record<string, unknown>[];
}

/** An order of getOrders or getOrder, with one line of 2 units unless told. */
export function orderOf({
  orderId = '11-00001-00001',
  lastModifiedDate = '2026-02-28T10:00:00.000Z',
  cancelState = 'NONE_REQUESTED',
  cancelRequests = [],
  paymentStatus = 'PAID',
  refunds = [],
  lines = [lineOf()],
}: OrderTraits = {}) {
  const total = { value: '20.00', currency: 'EUR' };
  return {
    orderId,
    creationDate: '2026-02-28T09:00:00.000Z',
    lastModifiedDate,
    orderFulfillmentStatus: 'NOT_STARTED',
    orderPaymentStatus: paymentStatus,
    buyer: { username: 'somebody_who_buys' },
    cancelStatus: { cancelState, cancelRequests },
    pricingSummary: { total },
    paymentSummary: {
      totalDueSeller: total,
      payments: [{ paymentMethod: 'EBAY', paymentStatus: 'PAID', paymentDate: '2026-02-28T09:00:01.000Z' }],
      refunds,
    },
    lineItems: lines,
  };
}

export function lineOf(line: Record<string, unknown> = {}) {
  return {
    lineItemId: '10001',
    legacyItemId: '110000000001',
    sku: 'A',
    title: 'A thing',
    quantity: 2,
    lineItemFulfillmentStatus: 'NOT_STARTED',
    ...line,
  };
}
