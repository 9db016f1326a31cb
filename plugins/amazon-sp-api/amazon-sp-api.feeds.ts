import {
  ChannelProtocolError,
  type ChannelClock,
  type FollowedPush,
  type InventoryUpdate,
  type PushResult,
} from 'onhand/channel-api';
import { AmazonRefusal, segment, type SpApiClient } from './amazon-sp-api.client';
import type { Documents } from './amazon-sp-api.documents';
import { LISTINGS_FEEDS } from './amazon-sp-api.limits';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import { quantityPatches } from './amazon-sp-api.patches';
import { reasonOf, rejected } from './amazon-sp-api.results';
import type { WireDocument, WireFeed, WireFeedReport } from './amazon-sp-api.wire';

const JSON_TYPE = 'application/json; charset=UTF-8';
const LISTINGS_FEED = 'JSON_LISTINGS_FEED';

/** What a feed has come to, for each of its messages. */
type Verdict =
  | { verdict: 'open' }
  | { verdict: 'failed'; code: string; reason: string }
  | { verdict: 'done'; report: WireFeedReport };

/** Feeds: a document that is uploaded, a feed that takes its time, and a result that must be read. */
export class Feeds {
  constructor(
    private readonly client: SpApiClient,
    private readonly documents: Documents,
    private readonly clock: ChannelClock,
    private readonly options: AmazonSpApiOptions,
  ) {}

  /** All in one feed; each is accepted with the feed and its message for a receipt. */
  async submit(marketplaceId: string, updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    const { sellerId } = this.options;
    const body = JSON.stringify({
      header: { sellerId, version: '2.0', issueLocale: 'en_US' },
      messages: updates.map(({ channelSku, quantityUnits }, index) => ({
        messageId: index + 1,
        sku: channelSku,
        operationType: 'PATCH',
        ...quantityPatches(quantityUnits),
      })),
    });
    const feedId = await this.create(LISTINGS_FEED, { marketplaceId, contentType: JSON_TYPE, body });
    return updates.map(({ pushId }, index) => ({
      pushId,
      outcome: 'accepted',
      receipt: `feed ${feedId} message ${index + 1}`,
    }));
  }

  /** Answers the feed's id. */
  async create(
    feedType: string,
    { marketplaceId, contentType, body }: { marketplaceId: string; contentType: string; body: string },
  ): Promise<string> {
    const { feedDocumentId, url } = await this.client.call<{ feedDocumentId: string; url: string }>({
      operation: 'createFeedDocument',
      method: 'POST',
      path: '/feeds/2021-06-30/documents',
      json: { contentType },
    });
    if (!feedDocumentId || !url) throw new ChannelProtocolError('createFeedDocument answered no document');
    await this.documents.upload(url, contentType, body);
    const { feedId } = await this.client.call<{ feedId: string }>({
      operation: 'createFeed',
      method: 'POST',
      path: '/feeds/2021-06-30/feeds',
      json: { feedType, marketplaceIds: [marketplaceId], inputFeedDocumentId: feedDocumentId },
      limits: feedType === LISTINGS_FEED ? [LISTINGS_FEEDS] : [],
    });
    if (!feedId) throw new ChannelProtocolError('createFeed answered no feed id');
    return feedId;
  }

  /** Throws `AmazonRefusal`, and what a call throws. */
  get(feedId: string): Promise<WireFeed> {
    return this.client.call<WireFeed>({
      operation: 'getFeed',
      method: 'GET',
      path: `/feeds/2021-06-30/feeds/${segment(feedId)}`,
    });
  }

  /** What it answered to what it was fed. */
  resultDocument(documentId: string): Promise<WireDocument> {
    return this.client.call<WireDocument>({
      operation: 'getFeedDocument',
      method: 'GET',
      path: `/feeds/2021-06-30/documents/${segment(documentId)}`,
    });
  }

  /**
   * What became of the listings of feeds; none for those of a feed that is not done. `failed` is told of each feed
   * that did not end well.
   */
  async follow(pushes: readonly FollowedPush[], failed: (reason: string) => void): Promise<PushResult[]> {
    const results: PushResult[] = [];
    for (const [feedId, group] of byFeed(pushes)) {
      const since = Math.min(...group.map(({ push }) => push.acceptedAt.getTime()));
      const verdict = await this.judge(feedId, since);
      if (verdict.verdict === 'open') continue;
      if (verdict.verdict === 'done') {
        results.push(...resultsIn(verdict.report, group));
        continue;
      }
      failed(`feed ${feedId}: ${verdict.reason}`);
      const { code, reason } = verdict;
      results.push(
        ...group.map(({ push }): PushResult => {
          return { pushId: push.pushId, outcome: 'rejected', code, reason, retryable: true };
        }),
      );
    }
    return results;
  }

  private async judge(feedId: string, since: number): Promise<Verdict> {
    const feed = await this.find(feedId);
    switch (feed?.processingStatus) {
      case 'IN_QUEUE':
      case 'IN_PROGRESS':
        return this.isStuck(since) ? this.giveUp(feed) : { verdict: 'open' };
      case 'DONE':
        return this.readResult(feed);
      case 'FATAL':
        // Amazon documents that none, some or all of it may have been applied: all is sent again.
        return { verdict: 'failed', code: 'feed-fatal', reason: 'Amazon could not process the feed (FATAL)' };
      case 'CANCELLED':
        return { verdict: 'failed', code: 'feed-cancelled', reason: 'the feed was called off' };
      default:
        return {
          verdict: 'failed',
          code: 'feed-unknown',
          reason: 'Amazon knows nothing of the feed any more',
        };
    }
  }

  private async find(feedId: string): Promise<WireFeed | undefined> {
    try {
      return await this.get(feedId);
    } catch (error) {
      if (error instanceof AmazonRefusal && (error.status === 404 || error.status === 400)) return undefined;
      throw error;
    }
  }

  private isStuck(since: number): boolean {
    const minutes = this.options.feeds.stuckAfterMinutes / this.options.timeScale;
    return this.clock.now().getTime() - since > minutes * 60_000;
  }

  /** Feeds have been in progress for days (github.com/amzn/selling-partner-api-models/issues/2633); one that waits still can be called off. */
  private async giveUp({ feedId, processingStatus }: WireFeed): Promise<Verdict> {
    if (processingStatus === 'IN_QUEUE') {
      try {
        await this.client.call<undefined>({
          operation: 'cancelFeed',
          method: 'DELETE',
          path: `/feeds/2021-06-30/feeds/${segment(feedId)}`,
        });
      } catch (error) {
        // It has begun meanwhile, and will end some time; what it says by then is put right by a reconcile.
        if (!(error instanceof AmazonRefusal)) throw error;
      }
    }
    const reason = `it was ${processingStatus} for ${this.options.feeds.stuckAfterMinutes} minutes`;
    return { verdict: 'failed', code: 'feed-stuck', reason };
  }

  /** DONE says only that there is a result to be read. */
  private async readResult({ resultFeedDocumentId }: WireFeed): Promise<Verdict> {
    if (resultFeedDocumentId === undefined)
      return { verdict: 'failed', code: 'feed-without-result', reason: 'the feed ended without a result' };
    const document = await this.resultDocument(resultFeedDocumentId);
    const report = await this.documents.json<WireFeedReport>(document);
    const ofAll = (report.issues ?? []).filter(
      ({ messageId, severity }) => messageId === undefined && severity === 'ERROR',
    );
    if (ofAll.length === 0) return { verdict: 'done', report };
    return { verdict: 'failed', code: 'feed-refused', reason: reasonOf(ofAll) };
  }
}

interface MessagePush {
  push: FollowedPush;
  messageId: number;
}

function byFeed(pushes: readonly FollowedPush[]): Map<string, MessagePush[]> {
  const feeds = new Map<string, MessagePush[]>();
  for (const push of pushes) {
    const [, feedId, messageId] = /^feed (.+) message (\d+)$/.exec(push.receipt) ?? [];
    if (feedId === undefined) continue;
    const group = feeds.get(feedId);
    const message = { push, messageId: Number(messageId) };
    if (group) group.push(message);
    else feeds.set(feedId, [message]);
  }
  return feeds;
}

/** A message that the result names with an error was not taken; the others were accepted, and are confirmed by a read. */
function resultsIn(report: WireFeedReport, pushes: readonly MessagePush[]): PushResult[] {
  const errors = new Map<number, NonNullable<WireFeedReport['issues']>>();
  for (const issue of report.issues ?? []) {
    if (issue.severity !== 'ERROR' || issue.messageId === undefined) continue;
    errors.set(issue.messageId, [...(errors.get(issue.messageId) ?? []), issue]);
  }
  return pushes.map(({ push: { pushId }, messageId }): PushResult => {
    const issues = errors.get(messageId);
    if (!issues) return { pushId, outcome: 'accepted' };
    return rejected(pushId, issues[0]?.code ?? 'invalid', reasonOf(issues));
  });
}
