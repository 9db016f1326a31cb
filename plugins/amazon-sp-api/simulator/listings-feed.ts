import { ApiRefusal, membersOf } from './api-call';
import type { Catalogue } from './catalogue';
import { type FeedResult, listingsReport, type MessageProblem } from './feed-results';
import { type Availability, issuesOf, type Patch, patched, patchesIn, unknownSku } from './submissions';

/** More than this many messages, and the feed is not processed at all. */
const MOST_MESSAGES = 25_000;

/** One message of a feed, after a look at its form. */
interface Message {
  messageId: number;
  sku: string;
  patches: Patch[];
}

type Problem = Omit<MessageProblem, 'messageId' | 'sku'>;

export interface ListingsFeedSettings {
  sellerId: string;
  feedId: string;
  /** Part of the messages that is processed, 1 for all: a feed that ends FATAL may have done some of them. */
  share: number;
  /** Whether the next accepted change is one that never takes effect. */
  isLie: () => boolean;
}

/**
 * Processes a `JSON_LISTINGS_FEED`: each message by itself, in order. Undefined where the document as a whole is
 * none, which ends the feed as FATAL.
 */
export function processListingsFeed(
  document: Buffer,
  catalogue: Catalogue,
  settings: ListingsFeedSettings,
): FeedResult | undefined {
  const whole = messagesIn(document, settings.sellerId);
  if (!whole) return undefined;
  const messages = whole.slice(0, Math.floor(whole.length * settings.share));
  const problems: MessageProblem[] = [];
  const changes = new Map<string, { patches: Patch[]; pretend: boolean }>();
  for (const given of messages) {
    const message = messageIn(given);
    const { messageId, sku } = message;
    const refused = 'code' in message ? [message] : issuesFor(message, catalogue);
    for (const { code, message: text, attributeNames } of refused) {
      problems.push({ messageId, sku, code, message: text, attributeNames });
    }
    if (refused.length > 0 || 'code' in message) continue;
    const earlier = changes.get(sku)?.patches ?? [];
    changes.set(sku, { patches: [...earlier, ...message.patches], pretend: settings.isLie() });
  }
  apply(catalogue, changes, settings.feedId);
  return listingsReport(settings, messages.length, problems);
}

function apply(
  catalogue: Catalogue,
  changes: ReadonlyMap<string, { patches: Patch[]; pretend: boolean }>,
  feedId: string,
): void {
  const submissions = [...changes].flatMap(([sku, { patches, pretend }]) => {
    const item = catalogue.get(sku);
    return item ? [{ item, submitted: patched(item.submitted, patches), pretend }] : [];
  });
  catalogue.submit(submissions, feedId);
}

function issuesFor({ sku, patches }: Message, catalogue: Catalogue): Problem[] {
  return catalogue.get(sku) ? issuesOf(patches) : [unknownSku()];
}

function messagesIn(document: Buffer, sellerId: string): unknown[] | undefined {
  try {
    const { header, messages } = membersOf(JSON.parse(document.toString('utf8')));
    const { sellerId: seller, version } = membersOf(header);
    if (seller !== sellerId || version !== '2.0') return undefined;
    return Array.isArray(messages) && messages.length > 0 && messages.length <= MOST_MESSAGES
      ? messages
      : undefined;
  } catch {
    return undefined;
  }
}

/** The message with its patches, or with what is wrong with its form. */
function messageIn(given: unknown): Message | (Problem & { messageId: number; sku: string }) {
  const { messageId, sku, operationType, productType, patches, attributes } = membersOf(given);
  const id = typeof messageId === 'number' ? messageId : 0;
  const name = typeof sku === 'string' ? sku : '';
  const problem = (message: string) => ({ messageId: id, sku: name, code: '4000001', message });
  if (id < 1 || name === '') return problem('messageId and sku are required.');
  try {
    if (operationType === 'PATCH')
      return { messageId: id, sku: name, patches: patchesIn({ productType, patches }) };
    // The schema says that it is the same as replacing each of the attributes.
    if (operationType === 'PARTIAL_UPDATE')
      return { messageId: id, sku: name, patches: replacing(attributes) };
    return problem(`operationType ${String(operationType)} is not taken for stock.`);
  } catch (error) {
    if (error instanceof ApiRefusal) return problem(error.details);
    throw error;
  }
}

function replacing(attributes: unknown): Patch[] {
  return Object.entries(membersOf(attributes)).map(([attribute, value]) => ({
    op: 'replace',
    attribute,
    value: Array.isArray(value) ? (value as Availability[]) : [],
  }));
}
