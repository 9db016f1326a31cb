import { gzipSync } from 'node:zlib';
import {
  type ApiCall,
  ApiRefusal,
  type Handlers,
  invalidInput,
  listIn,
  numberIn,
  ok,
  textIn,
  textsIn,
  timeIn,
} from './api-call';
import type { DocumentStore } from './documents';
import type { FeedResult } from './feed-results';
import type { ScaledTime } from './scaled-time';
import { WindowLimit } from './usage-plans';

type Status = 'IN_QUEUE' | 'IN_PROGRESS' | 'DONE' | 'FATAL' | 'CANCELLED';

/**
 * How a feed ends: `stuck` stays in progress until `releaseStuck`; `fatal` does nothing, `fatal-half` half of it;
 * `cancelled` is cancelled in the queue, by nobody the seller knows.
 */
export type FeedFate = 'done' | 'stuck' | 'fatal' | 'fatal-half' | 'cancelled';

export interface Feed {
  feedId: string;
  feedType: string;
  marketplaceIds: string[];
  createdTime: string;
  processingStatus: Status;
  processingStartTime?: string;
  processingEndTime?: string;
  resultFeedDocumentId?: string;
}

/** Does what a feed asks for, up to `share` of it; undefined where its document is none of its type. */
export type FeedProcessor = (document: Buffer, feedId: string, share: number) => FeedResult | undefined;

/** Amazon's seconds that a feed waits in the queue, and is processed. */
export interface FeedDurations {
  queuedSeconds: number;
  processingSeconds: number;
}

/** Five in five minutes, apart from the plan of createFeed, for the type that sets listings. */
const LISTINGS_FEED = 'JSON_LISTINGS_FEED';
const LISTINGS_FEEDS = { most: 5, windowSeconds: 300 };

/** The Feeds API of 2021-06-30: documents, a queue for each type of feed, and results that come later. */
export class Feeds {
  readonly handlers: Handlers = {
    createFeedDocument: ({ body }) => this.createDocument(body),
    createFeed: (call) => this.create(call),
    getFeed: ({ parameters }) => ok(this.feed(parameters.feedId as string)),
    getFeeds: (call) => this.page(call),
    cancelFeed: ({ parameters }) => this.cancel(parameters.feedId as string),
    getFeedDocument: ({ parameters }) => this.document(parameters.feedDocumentId as string),
  };

  /** As they stand, in the order in which they were created. */
  readonly all: Feed[] = [];
  private readonly fates: FeedFate[] = [];
  private readonly stuck: (() => void)[] = [];
  private readonly inputs = new Map<string, string>();
  private readonly queues = new Map<string, Feed[]>();
  private readonly perType: WindowLimit;

  constructor(
    private readonly documents: DocumentStore,
    private readonly processors: Readonly<Record<string, FeedProcessor>>,
    private readonly time: ScaledTime,
    private readonly durations: FeedDurations,
    private readonly onEnd: (feed: Feed) => void,
  ) {
    this.perType = new WindowLimit(LISTINGS_FEEDS.most, time.ms(LISTINGS_FEEDS.windowSeconds));
  }

  /** How the next feeds end, one after the other; those after them are done. */
  fate(...fates: FeedFate[]): void {
    this.fates.push(...fates);
  }

  /** What was stuck goes on. */
  releaseStuck(): void {
    for (const goOn of this.stuck.splice(0)) goOn();
  }

  private createDocument(body: unknown) {
    const id = this.documents.create(textIn(body, 'contentType'));
    return { status: 201, body: { feedDocumentId: id, url: this.documents.urlOf(id) } };
  }

  private create({ body, nowMs }: ApiCall) {
    const feedType = textIn(body, 'feedType');
    const marketplaceIds = textsIn(body, 'marketplaceIds');
    const input = textIn(body, 'inputFeedDocumentId');
    if (this.documents.read(input) === undefined) throw invalidInput('inputFeedDocumentId is not known.');
    if (feedType === LISTINGS_FEED && !this.perType.allows(nowMs)) {
      throw new ApiRefusal(429, 'QuotaExceeded', 'You exceeded your quota for the requested resource.');
    }
    const feed: Feed = {
      feedId: String(50_000_000_000 + this.all.length),
      feedType,
      marketplaceIds,
      createdTime: new Date(nowMs).toISOString(),
      processingStatus: 'IN_QUEUE',
    };
    this.all.push(feed);
    this.inputs.set(feed.feedId, input);
    this.enqueue(feed);
    return { status: 202, body: { feedId: feed.feedId } };
  }

  /** Feeds of one type are processed one after the other. */
  private enqueue(feed: Feed): void {
    const queue = this.queues.get(feed.feedType) ?? [];
    this.queues.set(feed.feedType, queue);
    queue.push(feed);
    if (queue.length === 1) this.beginNext(queue);
  }

  private beginNext(queue: Feed[]): void {
    const feed = queue.find(({ processingStatus }) => processingStatus === 'IN_QUEUE');
    if (!feed) {
      queue.length = 0;
      return;
    }
    this.time.after(this.durations.queuedSeconds, () => {
      const fate = this.fates.shift() ?? 'done';
      if (feed.processingStatus === 'IN_QUEUE') {
        if (fate === 'cancelled') this.end(feed, 'CANCELLED');
        else this.begin(feed, fate, () => this.beginNext(queue));
      }
      // A feed that is stuck keeps no other one waiting.
      if (feed.processingStatus === 'CANCELLED' || fate === 'stuck') this.beginNext(queue);
    });
  }

  private begin(feed: Feed, fate: FeedFate, next: () => void): void {
    feed.processingStatus = 'IN_PROGRESS';
    feed.processingStartTime = new Date().toISOString();
    if (fate === 'stuck') {
      this.stuck.push(() => this.process(feed, 'done'));
      return;
    }
    this.time.after(this.durations.processingSeconds, () => {
      this.process(feed, fate);
      next();
    });
  }

  private process(feed: Feed, fate: FeedFate): void {
    const document = this.documents.read(this.inputs.get(feed.feedId) as string);
    const processor = this.processors[feed.feedType];
    if (fate === 'fatal' || !document || !processor) return this.end(feed, 'FATAL');
    const result = processor(document, feed.feedId, fate === 'fatal-half' ? 0.5 : 1);
    if (fate === 'fatal-half' || !result) return this.end(feed, 'FATAL');
    // Amazon packs result documents, and says so.
    feed.resultFeedDocumentId = this.documents.create(result.contentType, gzipSync(result.text));
    this.end(feed, 'DONE');
  }

  private end(feed: Feed, status: Status): void {
    feed.processingStatus = status;
    feed.processingEndTime = new Date().toISOString();
    this.onEnd(feed);
  }

  private cancel(feedId: string) {
    const feed = this.feed(feedId);
    if (feed.processingStatus !== 'IN_QUEUE')
      throw invalidInput('Only a feed in the queue can be cancelled.');
    this.end(feed, 'CANCELLED');
    return { status: 200, text: '' };
  }

  private page({ query }: ApiCall) {
    const types = listIn(query, 'feedTypes');
    const statuses = listIn(query, 'processingStatuses');
    const since = timeIn(query, 'createdSince') ?? -Infinity;
    const pageSize = numberIn(query, 'pageSize', { least: 1, most: 100, absent: 10 });
    if (types.length === 0) throw invalidInput('feedTypes is required without a nextToken.');
    const feeds = this.all.filter(
      ({ feedType, processingStatus, createdTime }) =>
        types.includes(feedType) &&
        (statuses.length === 0 || statuses.includes(processingStatus)) &&
        Date.parse(createdTime) >= since,
    );
    return ok({ feeds: feeds.reverse().slice(0, pageSize) });
  }

  private document(id: string) {
    if (!this.documents.read(id)) throw new ApiRefusal(404, 'NotFound', 'The document is not known.');
    const isResult = this.all.some((feed) => feed.resultFeedDocumentId === id);
    return ok({
      feedDocumentId: id,
      url: this.documents.urlOf(id),
      ...(isResult ? { compressionAlgorithm: 'GZIP' } : {}),
    });
  }

  private feed(feedId: string): Feed {
    const feed = this.all.find((each) => each.feedId === feedId);
    if (!feed) throw new ApiRefusal(404, 'NotFound', 'The feed is not known.');
    return feed;
  }
}
