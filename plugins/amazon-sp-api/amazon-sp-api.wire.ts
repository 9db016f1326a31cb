/**
 * What is used of Amazon's answers and requests, as its models have it
 * (github.com/amzn/selling-partner-api-models). Fields that nobody reads here are left out.
 */
export interface WireError {
  code: string;
  message: string;
}

export interface WireIssue {
  code?: string;
  message: string;
  severity: 'ERROR' | 'WARNING' | 'INFO';
}

/** Of Listings Items v2021-08-01. */
export interface WireItem {
  sku: string;
  summaries?: { marketplaceId: string; itemName?: string }[];
  /** The effective quantities. What was submitted is elsewhere (`attributes`), and differs by design. */
  fulfillmentAvailability?: { fulfillmentChannelCode: string; quantity?: number }[];
}

export interface WireItemPage {
  numberOfResults: number;
  pagination?: { nextToken?: string };
  items: WireItem[];
}

export interface WireSubmission {
  sku: string;
  /** ACCEPTED means queued, not applied. INVALID comes under HTTP 200 too. */
  status: 'ACCEPTED' | 'INVALID' | 'VALID';
  submissionId: string;
  issues?: WireIssue[];
}

/** Of Feeds v2021-06-30, and of Reports v2021-06-30, which are alike. */
export type ProcessingStatus = 'CANCELLED' | 'DONE' | 'FATAL' | 'IN_PROGRESS' | 'IN_QUEUE';

export interface WireFeed {
  feedId: string;
  feedType: string;
  processingStatus: ProcessingStatus;
  resultFeedDocumentId?: string;
}

export interface WireReport {
  reportId: string;
  processingStatus: ProcessingStatus;
  reportDocumentId?: string;
}

export interface WireDocument {
  url: string;
  compressionAlgorithm?: 'GZIP';
}

/** Of the processing report of a JSON_LISTINGS_FEED. */
export interface WireFeedReport {
  issues?: (WireIssue & { messageId?: number; sku?: string })[];
  summary?: { messagesProcessed?: number; messagesAccepted?: number; messagesInvalid?: number };
}

/** Of FBA Inventory v1. */
export interface WireSummaries {
  payload?: {
    inventorySummaries: { sellerSku?: string; inventoryDetails?: { fulfillableQuantity?: number } }[];
  };
  pagination?: { nextToken?: string };
}

/** Of Orders v2026-01-01. */
export interface WireOrder {
  orderId: string;
  createdTime: string;
  lastUpdatedTime: string;
  fulfillment?: { fulfillmentStatus: string; fulfilledBy?: string };
  orderItems: WireOrderItem[];
}

export interface WireOrderItem {
  orderItemId: string;
  quantityOrdered: number;
  product: { sellerSku?: string };
  fulfillment?: { quantityFulfilled?: number; quantityUnfulfilled?: number };
}

export interface WireOrderPage {
  orders: unknown[];
  pagination?: { nextToken?: string };
}

/** Of Notifications v1. */
export interface WireDestination {
  destinationId: string;
  resource: { sqs?: { arn: string }; eventBridge?: { accountId: string; region: string } };
}
