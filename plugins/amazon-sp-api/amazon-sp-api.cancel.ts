import { ChannelError, type CancelRequest, type CancelResult } from 'onhand/channel-api';
import { AmazonRefusal } from './amazon-sp-api.client';
import type { Documents } from './amazon-sp-api.documents';
import type { Feeds } from './amazon-sp-api.feeds';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import type { Orders } from './amazon-sp-api.orders';
import { objectOf, translateOrder } from './amazon-sp-api.translate';

const FEED_TYPE = 'POST_ORDER_ACKNOWLEDGEMENT_DATA';
const XML_TYPE = 'text/xml; charset=UTF-8';

/**
 * Cancellations. No operation cancels an order: a feed acknowledges that the seller failed to fulfil it
 * (developer-docs.amazon.com/sp-api/docs/order-feed-type-values), which takes minutes and cancels the order whole.
 */
export class Cancellations {
  /** Errors of feeds that were read, for their documents may be asked for once in a minute only. */
  private readonly read = new Map<string, string | undefined>();

  constructor(
    private readonly feeds: Feeds,
    private readonly documents: Documents,
    private readonly orders: Orders,
    private readonly options: AmazonSpApiOptions,
  ) {}

  /**
   * The order is looked at first, so that one asked for again, its answer lost, is not taken for a new one. A second
   * feed for an order that is about to be cancelled changes nothing.
   */
  async cancel({ orderId, lines }: CancelRequest): Promise<CancelResult> {
    const found = await this.orders.find(orderId);
    if (found === undefined) return impossible('Amazon knows no such order');
    const order = translateOrder(found);
    if (!order) return impossible('Amazon ships this order from its own stock');
    const status = statusOf(found);
    if (status === 'CANCELLED') return { outcome: 'cancelled' };
    if (order.lines.some((line) => line.fulfilled > 0))
      return impossible('some of it is shipped, and Amazon cancels only whole orders by feed');
    if (status === 'PENDING' || status === 'PENDING_AVAILABILITY')
      throw new ChannelError(
        'order-pending',
        'Amazon takes no cancellation of an order that is pending',
        true,
      );
    const asked = new Map(lines.map(({ lineId, quantityUnits }) => [lineId, quantityUnits]));
    const left = order.lines.find((line) => (asked.get(line.lineId) ?? 0) < line.ordered - line.cancelled);
    if (left)
      return impossible('Amazon cancels only whole orders by feed; cancel single units in Seller Central');
    const feedId = await this.feeds.create(FEED_TYPE, {
      marketplaceId: marketplaceOf(found) ?? this.options.marketplaceIds[0]!,
      contentType: XML_TYPE,
      body: failureXml(this.options.sellerId, orderId, [...asked.keys()]),
    });
    return { outcome: 'pending', receipt: `feed ${feedId} order ${orderId}` };
  }

  async follow(receipt: string): Promise<CancelResult> {
    const [, feedId, orderId] = /^feed (\S+) order (.+)$/s.exec(receipt) ?? [];
    if (feedId === undefined || orderId === undefined)
      return impossible('the receipt is none of this plugin');
    const error = await this.errorOf(feedId);
    if (error === 'open') return { outcome: 'pending', receipt };
    // Whatever the feed says, the order knows: another feed may have cancelled it, or a person.
    const found = await this.orders.find(orderId);
    if (found !== undefined && statusOf(found) === 'CANCELLED') return { outcome: 'cancelled' };
    return error === undefined ? { outcome: 'pending', receipt } : impossible(error);
  }

  /** `open` while Amazon works on it; undefined once it took the cancellation. */
  private async errorOf(feedId: string): Promise<string | undefined> {
    if (this.read.has(feedId)) return this.read.get(feedId);
    const error = await this.readError(feedId);
    if (error !== 'open') this.read.set(feedId, error);
    return error;
  }

  private async readError(feedId: string): Promise<string | undefined> {
    try {
      const { processingStatus, resultFeedDocumentId } = await this.feeds.get(feedId);
      if (processingStatus === 'IN_QUEUE' || processingStatus === 'IN_PROGRESS') return 'open';
      if (processingStatus !== 'DONE') return `the feed that was to cancel it ended as ${processingStatus}`;
      if (resultFeedDocumentId === undefined) return undefined;
      return errorIn(await this.documents.text(await this.feeds.resultDocument(resultFeedDocumentId)));
    } catch (error) {
      if (error instanceof AmazonRefusal) return 'Amazon knows nothing of the feed that was to cancel it';
      throw error;
    }
  }
}

/** What the XML processing report says went wrong. */
export function errorIn(report: string): string | undefined {
  const failed = Number(/<MessagesWithError>\s*(\d+)\s*</.exec(report)?.[1] ?? 0);
  if (failed === 0) return undefined;
  const result = /<Result>(?:(?!<\/Result>).)*<ResultCode>\s*Error\s*<\/ResultCode>.*?<\/Result>/s.exec(
    report,
  )?.[0];
  const description = /<ResultDescription>(.*?)<\/ResultDescription>/s.exec(result ?? '')?.[1]?.trim();
  return description
    ? `Amazon refuses it: ${description.slice(0, 400)}`
    : 'Amazon refuses it and gives no reason';
}

function failureXml(sellerId: string, orderId: string, lineIds: readonly string[]): string {
  const items = lineIds.map(
    (lineId) =>
      `<Item><AmazonOrderItemCode>${escaped(lineId)}</AmazonOrderItemCode><CancelReason>NoInventory</CancelReason></Item>`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<AmazonEnvelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="amzn-envelope.xsd">',
    `<Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>${escaped(sellerId)}</MerchantIdentifier></Header>`,
    '<MessageType>OrderAcknowledgement</MessageType>',
    '<Message><MessageID>1</MessageID><OrderAcknowledgement>',
    `<AmazonOrderID>${escaped(orderId)}</AmazonOrderID><StatusCode>Failure</StatusCode>`,
    ...items,
    '</OrderAcknowledgement></Message>',
    '</AmazonEnvelope>',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function impossible(reason: string): CancelResult {
  return { outcome: 'impossible', reason };
}

function statusOf(order: unknown): unknown {
  return objectOf(objectOf(order, 'order').fulfillment, 'fulfillment').fulfillmentStatus;
}

function marketplaceOf(order: unknown): string | undefined {
  const { marketplaceId } = (objectOf(order, 'order').salesChannel ?? {}) as { marketplaceId?: unknown };
  return typeof marketplaceId === 'string' ? marketplaceId : undefined;
}
