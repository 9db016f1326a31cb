import type { ChannelHttpResponse } from 'onhand/channel-api';
import { type Json, partOf, partsOf, textIn } from './ebay.fields';

/** One error of eBay's, in the words of its REST APIs. */
export interface EbayError {
  /** 0 where none is given. */
  errorId: number;
  message: string;
}

/** Concurrent access of an item or its group; the contract gives it with status 500. */
export const CONCURRENT_ACCESS = 25025;

/** What an answer says is wrong. The Post-Order API, which is older, calls its list `error`. */
export function errorsIn(response: Pick<ChannelHttpResponse, 'text' | 'json'>): EbayError[] {
  let body: Json;
  try {
    body = partOf(response.json());
  } catch {
    // A refusal may come as a page for people.
    return [];
  }
  return errorsOf(body.errors ?? body.error);
}

export function errorsOf(errors: unknown): EbayError[] {
  return partsOf(errors).map(({ errorId, message, longMessage }) => ({
    errorId: typeof errorId === 'number' ? errorId : 0,
    message: (textIn(longMessage) ?? textIn(message) ?? 'eBay gives no reason').slice(0, 300),
  }));
}

/** `25702: no such SKU`, or the status alone. */
export function wordsOf(response: ChannelHttpResponse): string {
  const [first] = errorsIn(response);
  return first ? `${first.errorId}: ${first.message}` : `status ${response.status}`;
}

export function hasError(response: ChannelHttpResponse, ...errorIds: number[]): boolean {
  return errorsIn(response).some(({ errorId }) => errorIds.includes(errorId));
}
