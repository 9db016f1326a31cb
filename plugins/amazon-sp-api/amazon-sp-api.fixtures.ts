import type { Channel } from 'onhand/channel-api';
import { QuietHost } from 'onhand/channel-api/testing';
import plugin from './amazon-sp-api.plugin';

/**
 * Answers of Amazon for tests, made from its reference pages and models (developer-docs.amazon.com/sp-api/docs), none
 * of them recorded. Where the models are at hand, `test/plugins/amazon-plugin-models.spec.ts` holds each against them.
 */
export const SELLER = 'A2ONHANDTESTED';
export const US = 'ATVPDKIKX0DER';
export const CA = 'A2EUQ1WTGCTBG2';
export const DOCUMENT_URL = 'https://tortuga-prod-na.s3-external-1.amazonaws.com';

const NOW = '2026-03-01T10:00:00Z';

export const item = (sku: string, availability: object[], marketplaceId = US) => ({
  sku,
  summaries: [
    {
      ...{ marketplaceId, productType: 'MUG', status: ['BUYABLE'], itemName: `A mug, ${sku}` },
      ...{ createdDate: NOW, lastUpdatedDate: NOW },
    },
  ],
  fulfillmentAvailability: availability,
});
export const own = (quantity?: number) => ({
  fulfillmentChannelCode: 'DEFAULT',
  ...(quantity === undefined ? {} : { quantity }),
});
export const ITEM_BY_AMAZON = item('F', [{ fulfillmentChannelCode: 'AMAZON_NA' }]);

export const itemPage = (items: object[], nextToken?: string, numberOfResults = items.length) => ({
  numberOfResults,
  items,
  ...(nextToken === undefined ? {} : { pagination: { nextToken } }),
});

export const errors = (code: string, message: string) => ({ errors: [{ code, message, details: '' }] });

export const submission = (status: 'ACCEPTED' | 'INVALID', issues: object[] = []) => ({
  ...{ sku: 'A', status, submissionId: 'f1dc2914-75dd-11ea-bc55-0242ac130003' },
  issues,
});
export const issue = (code: string, message: string, severity = 'ERROR') => ({
  ...{ code, message, severity },
  categories: ['INVALID_ATTRIBUTE'],
});

export const CREATED_DOCUMENT = {
  feedDocumentId: 'amzn1.tortuga.4.na.upload',
  url: `${DOCUMENT_URL}/upload?X-Amz-Expires=300`,
};
export const feed = (
  processingStatus: string,
  resultFeedDocumentId?: string,
  feedType = 'JSON_LISTINGS_FEED',
) => ({
  ...{ feedId: '50000', feedType, marketplaceIds: [US], createdTime: NOW, processingStatus },
  ...(resultFeedDocumentId === undefined ? {} : { resultFeedDocumentId }),
});
export const document = (id: string, compressionAlgorithm?: 'GZIP') => ({
  url: `${DOCUMENT_URL}/${id}`,
  ...(compressionAlgorithm === undefined ? {} : { compressionAlgorithm }),
});
export const feedDocument = (id: string, algorithm?: 'GZIP') => ({
  feedDocumentId: id,
  ...document(id, algorithm),
});
export const reportDocument = (id: string, algorithm?: 'GZIP') => ({
  reportDocumentId: id,
  ...document(id, algorithm),
});
export const feedReport = (...issues: object[]) => ({
  header: { sellerId: SELLER, version: '2.0', feedId: '50000' },
  issues,
  summary: {
    errors: issues.length,
    warnings: 0,
    messagesProcessed: 3,
    messagesAccepted: 3 - issues.length,
    messagesInvalid: issues.length,
  },
});
export const report = (processingStatus: string, reportDocumentId?: string) => ({
  ...{ reportId: '60000', reportType: 'GET_MERCHANT_LISTINGS_ALL_DATA', createdTime: NOW, processingStatus },
  ...(reportDocumentId === undefined ? {} : { reportDocumentId }),
});

export const summaries = (stock: Record<string, number>, nextToken?: string) => ({
  payload: {
    granularity: { granularityType: 'Marketplace', granularityId: US },
    inventorySummaries: Object.entries(stock).map(([sellerSku, fulfillableQuantity]) => ({
      ...{
        sellerSku,
        asin: 'B000000001',
        fnSku: 'X000000001',
        condition: 'NewItem',
        totalQuantity: fulfillableQuantity + 3,
      },
      inventoryDetails: { fulfillableQuantity, reservedQuantity: { totalReservedQuantity: 3 } },
    })),
  },
  ...(nextToken === undefined ? {} : { pagination: { nextToken } }),
});

export interface OrderFixture {
  status?: string;
  fulfilledBy?: string;
  items?: { ordered: number; fulfilled?: number; unfulfilled?: number; cancellation?: object }[];
}

export const ORDER_ID = '903-8868176-2219830';
export const order = ({
  status = 'UNSHIPPED',
  fulfilledBy = 'MERCHANT',
  items = [{ ordered: 2 }],
}: OrderFixture = {}) => ({
  ...{ orderId: ORDER_ID, createdTime: '2026-02-01T08:00:00Z', lastUpdatedTime: NOW },
  salesChannel: { channelName: 'AMAZON', marketplaceId: US, marketplaceName: 'Amazon.com' },
  fulfillment: { fulfillmentStatus: status, fulfilledBy },
  orderItems: items.map(
    ({ ordered, fulfilled = 0, unfulfilled = ordered - fulfilled, cancellation }, index) => ({
      ...{
        orderItemId: `line-${index + 1}`,
        quantityOrdered: ordered,
        product: { sellerSku: `SKU-${index + 1}` },
      },
      fulfillment: { quantityFulfilled: fulfilled, quantityUnfulfilled: unfulfilled },
      ...(cancellation ? { cancellation } : {}),
    }),
  ),
});
export const orderPage = (orders: object[], nextToken?: string) => ({
  orders,
  ...(nextToken === undefined ? {} : { pagination: { nextToken } }),
});

export const participations = (...ids: string[]) => ({
  payload: ids.map((id) => ({
    marketplace: {
      id,
      name: 'Amazon',
      countryCode: 'US',
      defaultCurrencyCode: 'USD',
      defaultLanguageCode: 'en_US',
      domainName: 'www.amazon.com',
    },
    participation: { isParticipating: true, hasSuspendedListings: false },
    storeName: 'Mugs',
  })),
});

export const subscription = (destinationId: string) => ({
  payload: { subscriptionId: 'sub-1', payloadVersion: '1.0', destinationId },
});
export const destination = (arn: string) => ({
  destinationId: 'dest-1',
  name: 'onhand',
  resource: { sqs: { arn } },
});

/** Every answer above as an operation gives it, for the models to judge. */
export const ANSWERS: readonly { operation: string; status: number; body: unknown }[] = [
  {
    operation: 'searchListingsItems',
    status: 200,
    body: itemPage([item('A', [own(3)]), item('B', [own()]), ITEM_BY_AMAZON], 'next'),
  },
  { operation: 'getListingsItem', status: 200, body: item('A,B', [own(3)]) },
  { operation: 'getListingsItem', status: 404, body: errors('NOT_FOUND', 'SKU not found.') },
  { operation: 'patchListingsItem', status: 200, body: submission('ACCEPTED') },
  {
    operation: 'patchListingsItem',
    status: 200,
    body: submission('INVALID', [issue('90000900', 'The attributes are invalid.')]),
  },
  { operation: 'patchListingsItem', status: 400, body: errors('InvalidInput', 'Invalid input.') },
  { operation: 'createFeedDocument', status: 201, body: CREATED_DOCUMENT },
  { operation: 'createFeed', status: 202, body: { feedId: '50000' } },
  ...['IN_QUEUE', 'IN_PROGRESS', 'FATAL', 'CANCELLED'].map((status) => ({
    operation: 'getFeed',
    status: 200,
    body: feed(status),
  })),
  { operation: 'getFeed', status: 200, body: feed('DONE', 'result') },
  { operation: 'getFeedDocument', status: 200, body: feedDocument('result', 'GZIP') },
  { operation: 'createReport', status: 202, body: { reportId: '60000' } },
  { operation: 'getReport', status: 200, body: report('DONE', 'listings') },
  { operation: 'getReportDocument', status: 200, body: reportDocument('listings', 'GZIP') },
  { operation: 'getInventorySummaries', status: 200, body: summaries({ F: 4 }, 'next') },
  { operation: 'searchOrders', status: 200, body: orderPage([order()], 'next') },
  { operation: 'getOrder', status: 200, body: { order: order({ items: [{ ordered: 2, fulfilled: 1 }] }) } },
  { operation: 'getMarketplaceParticipations', status: 200, body: participations(US, CA) },
  { operation: 'getSubscription', status: 200, body: subscription('dest-1') },
  {
    operation: 'getDestinations',
    status: 200,
    body: { payload: [destination('arn:aws:sqs:us-east-1:123456789012:onhand')] },
  },
];

export const SECRETS = ['canary-client-secret', 'Atzr|canary-refresh-token', 'canary/aws+secret'];

/** A moment is left to answers that come while somebody waits. */
export const quietHost = () => new QuietHost({ nowMs: Date.parse('2026-03-01T12:00:00Z'), pauseMs: 2 });

export function connectAmazon(host: QuietHost, options: object = {}): Promise<Channel> {
  return host.connect(plugin, {
    ...{ region: 'na', marketplaceIds: [US], sellerId: SELLER },
    ...{ clientId: 'client', clientSecret: SECRETS[0], refreshToken: SECRETS[1] },
    ...options,
  });
}
