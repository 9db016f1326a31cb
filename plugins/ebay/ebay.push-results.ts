import type { InventoryUpdate, PushResult } from 'onhand/channel-api';
import { CONCURRENT_ACCESS, type EbayError, errorsOf } from './ebay.errors';
import { partOf, textIn } from './ebay.fields';
import { NO_OFFER, type Offer } from './ebay.offers';

/** What eBay answers for one offer, or for the item. */
export interface Entry {
  statusCode: number;
  errors: EbayError[];
}

/** SKUs or offers that the Inventory API does not have. */
const UNKNOWN = [25701, 25702, 25710, NO_OFFER];
/** System errors, which come and go. */
const PASSING = [25001, CONCURRENT_ACCESS];

/** Entries name the SKU, or an offer alone. Those that name nothing are under ''. */
export function entriesBySku(
  responses: readonly unknown[],
  rows: readonly { update: InventoryUpdate; offers: readonly Offer[] }[],
): ReadonlyMap<string, Entry[]> {
  const skuOfOffer = new Map(
    rows.flatMap(({ update, offers }) => offers.map(({ offerId }) => [offerId, update.channelSku])),
  );
  const entries = new Map<string, Entry[]>();
  for (const response of responses) {
    const { sku, offerId, statusCode, errors } = partOf(response);
    const name = textIn(sku) ?? skuOfOffer.get(textIn(offerId) ?? '') ?? '';
    const entry = { statusCode: typeof statusCode === 'number' ? statusCode : 400, errors: errorsOf(errors) };
    entries.set(name, [...(entries.get(name) ?? []), entry]);
  }
  return entries;
}

/** A SKU is changed where all of its entries are: one offer that was refused shows what it showed. */
export function resultOf(
  { pushId, channelSku }: InventoryUpdate,
  hasOffers: boolean,
  entries: readonly Entry[],
): PushResult {
  const failed = entries.find(({ statusCode }) => statusCode < 200 || statusCode > 299);
  if (entries.length > 0 && !failed) return { pushId, outcome: 'applied' };
  if (!failed) {
    const reason = 'eBay answered the batch without a result for this SKU';
    return { pushId, outcome: 'rejected', code: 'no-result', reason, retryable: true };
  }
  const [error] = failed.errors;
  const code = error ? `ebay-${error.errorId}` : `status-${failed.statusCode}`;
  const isUnknown = failed.errors.some(({ errorId }) => UNKNOWN.includes(errorId));
  if (isUnknown && !hasOffers)
    return { pushId, outcome: 'rejected', code, reason: migrationAdvice(channelSku), retryable: false };
  const isPassing =
    failed.statusCode >= 500 || failed.errors.some(({ errorId }) => PASSING.includes(errorId));
  return {
    pushId,
    outcome: 'rejected',
    code,
    reason: error?.message ?? `eBay answered ${failed.statusCode} for this SKU`,
    // A known offer that is gone: the SKU may have another by now.
    retryable: isPassing || isUnknown,
  };
}

/** A listing made by the Trading API, on eBay's pages or by a tool is none of the Inventory API's until it is migrated. */
function migrationAdvice(channelSku: string): string {
  const [, listingId] = /^(\d{9,15})(?:\/\d+)?$/.exec(channelSku) ?? [];
  const what = listingId === undefined ? `no item ${channelSku}` : `no item for listing ${listingId}`;
  return `eBay's Inventory API has ${what}; a listing that was made elsewhere gets one by POST /sell/inventory/v1/bulk_migrate_listing with its listing id, once it has a SKU (see the plugin's README)`;
}
