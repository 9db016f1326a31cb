import type { OrderFile } from './order-file';

/** The listings file of a channel that sells every SKU of the file under the SKU's own code, one unit each. */
export function listingsCsv({ skus }: Pick<OrderFile, 'skus'>): string {
  const rows = [...skus.keys()].map((sku) => `${quoted(sku)},${quoted(sku)},1`);
  return ['channel_sku,sku,units', ...rows, ''].join('\n');
}

function quoted(text: string): string {
  return /[",\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
