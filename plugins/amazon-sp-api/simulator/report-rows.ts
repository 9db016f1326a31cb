import type { SimulatedShop } from 'onhand/channel-api';
import type { Catalogue, CatalogueItem } from './catalogue';
import type { ReturnedLine } from './order-book';

/** https://developer-docs.amazon.com/sp-api/docs/report-type-values-inventory */
const LISTING_COLUMNS = [
  ...['item-name', 'item-description', 'listing-id', 'seller-sku', 'price', 'quantity', 'open-date'],
  ...['image-url', 'item-is-marketplace', 'product-id-type', 'zshop-shipping-fee', 'item-note'],
  ...['item-condition', 'zshop-category1', 'zshop-browse-path', 'zshop-storefront-feature', 'asin1', 'asin2'],
  ...['asin3', 'will-ship-internationally', 'expedited-shipping', 'zshop-boldface', 'product-id'],
  ...['bid-for-featured-placement', 'add-delete', 'pending-quantity', 'fulfillment-channel'],
  ...['merchant-shipping-group', 'status'],
];

/** https://developer-docs.amazon.com/sp-api/docs/report-type-values-returns */
const RETURN_COLUMNS = [
  ...['Order ID', 'Order date', 'Return request date', 'Return request status', 'Amazon RMA ID'],
  ...['Merchant RMA ID', 'Label type', 'Label cost', 'Currency code', 'Return carrier', 'Tracking ID'],
  ...['Label to be paid by', 'A-to-Z Claim', 'Is prime', 'ASIN', 'Merchant SKU', 'Item Name'],
  ...['Return quantity', 'Return Reason', 'In policy', 'Return type', 'Resolution', 'Invoice number'],
  ...['Return delivery date', 'Order Amount', 'Order quantity', 'SafeT Action reason', 'SafeT claim id'],
  ...[
    'SafeT claim state',
    'SafeT claim creation time',
    'SafeT claim reimbursement amount',
    'Refunded Amount',
  ],
];

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `GET_MERCHANT_LISTINGS_ALL_DATA`: a row for each listing, without a quantity where Amazon fulfils. */
export function listingRows(catalogue: Catalogue, shop: SimulatedShop, spoiled: ReadonlySet<string>): string {
  const cells = (item: CatalogueItem): Record<string, string | number> => ({
    'item-name': shop.item(item.sku)?.title ?? item.sku,
    'seller-sku': item.sku,
    quantity: spoiled.has(item.sku) ? 'plenty' : (catalogue.effective(item) ?? ''),
    'open-date': new Date(item.createdMs).toISOString(),
    asin1: item.asin,
    'product-id': item.asin,
    'product-id-type': 1,
    'pending-quantity': 0,
    'fulfillment-channel': item.fulfillmentChannel,
    status: 'Active',
  });
  return table(LISTING_COLUMNS, catalogue.bySku().map(cells));
}

/** `GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE`: a row for each line that came back in the period. */
export function returnRows(
  returns: readonly ReturnedLine[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): string {
  const inPeriod = returns.filter(
    ({ returnedAt }) => Date.parse(returnedAt) >= fromMs && Date.parse(returnedAt) <= toMs,
  );
  return table(
    RETURN_COLUMNS,
    inPeriod.map(({ order, line, units, returnedAt }, index) => ({
      'Order ID': order.orderId,
      'Order date': dayOf(order.document.placedAt),
      'Return request date': dayOf(returnedAt),
      'Return request status': 'Approved',
      'Amazon RMA ID': `DRMA${index + 1}RRMA`,
      ASIN: 'B000000000',
      'Merchant SKU': line.channelSku,
      'Item Name': line.channelSku,
      'Return quantity': units,
      'Return Reason': 'CR-UNWANTED_ITEM',
      'In policy': 'Y',
      'Return type': 'C-Returns',
      'Return delivery date': dayOf(returnedAt),
      'Order quantity': line.ordered,
    })),
  );
}

function table(columns: readonly string[], rows: readonly Record<string, string | number>[]): string {
  const lines = rows.map((row) => columns.map((column) => String(row[column] ?? '')).join('\t'));
  return `${[columns.join('\t'), ...lines].join('\r\n')}\r\n`;
}

/** `05-Jan-2026`, and no time of day. */
function dayOf(iso: string): string {
  const date = new Date(iso);
  const day = String(date.getUTCDate()).padStart(2, '0');
  return `${day}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()}`;
}
