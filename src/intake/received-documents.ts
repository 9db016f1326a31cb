import { type ChannelDocument, type ShownInventory, UntranslatableError } from '../channel-api';
import { checkedOrder } from './order-document';

/** One webhook body is bounded; a plugin that makes more of it is out of its mind. */
const MAX_DOCUMENTS = 1_000;
const MAX_UNITS = 1_000_000_000_000;

/**
 * What a plugin made of a webhook, checked whole before any of it is applied. Throws `UntranslatableError`,
 * so that a plugin's nonsense is parked and not tried again.
 */
export function checkedDocuments(documents: unknown): ChannelDocument[] {
  if (!Array.isArray(documents) || documents.length > MAX_DOCUMENTS)
    throw new UntranslatableError(
      `the plugin must translate it to a list of at most ${MAX_DOCUMENTS} documents`,
    );
  return documents.map(checkedDocument);
}

function checkedDocument(document: ChannelDocument | null | undefined): ChannelDocument {
  switch (document?.kind) {
    case 'order':
      return checkedOrder(document);
    case 'shown-inventory':
      if (!Array.isArray(document.items))
        throw new UntranslatableError("the document's items must be a list");
      document.items.forEach(checkItem);
      return document;
    case 'order-changed':
      if (typeof document.orderId !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(document.orderId))
        throw new UntranslatableError("the document's orderId must be 1 to 200 printable characters");
      return document;
    case 'counted-stock':
      if (!Array.isArray(document.items))
        throw new UntranslatableError("the document's items must be a list");
      document.items.forEach((item, index) => {
        checkItem(item, index);
        if (typeof item.channelLocation !== 'string')
          throw new UntranslatableError(`items[${index}].channelLocation must be a text`);
      });
      return document;
    default:
      throw new UntranslatableError(
        `the document's kind must be order, order-changed, shown-inventory or counted-stock`,
      );
  }
}

function checkItem(item: ShownInventory | null | undefined, index: number): void {
  const { channelSku, quantityUnits } = item ?? {};
  if (typeof channelSku !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(channelSku))
    throw new UntranslatableError(`items[${index}].channelSku must be 1 to 200 printable characters`);
  if (!Number.isSafeInteger(quantityUnits) || quantityUnits! < 0 || quantityUnits! > MAX_UNITS)
    throw new UntranslatableError(`items[${index}].quantityUnits must be a whole number, 0 or more`);
}
