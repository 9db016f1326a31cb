import type { BulkOperations } from './bulk-operations';
import { gid, idOf } from './ids';
import type { InventoryMutations } from './inventory-mutations';
import type { OrderMutations } from './order-mutations';
import type { OrderNodes } from './order-nodes';
import type { Orders } from './orders';
import { parseSearch } from './search-query';
import type { Stock } from './stock';
import type { StockNodes } from './stock-nodes';
import type { Subscriptions } from './subscriptions';

export interface RootParts {
  shop: { name: string; myshopifyDomain: string };
  scopes: readonly string[];
  stock: Stock;
  orders: Orders;
  stockNodes: StockNodes;
  orderNodes: OrderNodes;
  inventory: InventoryMutations;
  orderMutations: OrderMutations;
  subscriptions: Subscriptions;
  bulk: BulkOperations;
}

/** What queries and mutations begin at, by the names of their fields. */
export function rootOf(parts: RootParts): Record<string, unknown> {
  const { stock, stockNodes, orderNodes, inventory, orderMutations, subscriptions, bulk } = parts;
  const node = (id: string) => nodeOf(parts, id);
  return {
    shop: { __typename: 'Shop', id: gid('Shop', '1'), ...parts.shop },
    currentAppInstallation: {
      id: gid('AppInstallation', '1'),
      accessScopes: parts.scopes.map((handle) => ({ handle })),
    },
    nodes: ({ ids }: { ids: string[] }) => ids.map(node),
    location: ({ id }: { id?: string | null }) => node(id ?? gid('Location', stock.locations[0]?.id ?? '')),
    locations: stockNodes.locations,
    productVariants: stockNodes.variants,
    productVariantsCount: ({ limit, query }: { limit?: number | null; query?: string | null }) =>
      countOf(stock.items.length, limit, query),
    order: ({ id }: { id: string }) => node(id),
    orders: orderNodes.connection,
    job: ({ id }: { id: string }) => orderMutations.job(id),
    bulkOperation: bulk.find,
    webhookSubscriptions: subscriptions.connection,
    inventorySetQuantities: inventory.setQuantities,
    inventoryActivate: inventory.activate,
    orderCancel: orderMutations.cancel,
    refundCreate: orderMutations.refund,
    bulkOperationRunQuery: bulk.run,
    webhookSubscriptionCreate: subscriptions.create,
    webhookSubscriptionUpdate: subscriptions.update,
  };
}

function nodeOf({ stock, orders, stockNodes, orderNodes, bulk }: RootParts, id: string): object | null {
  const item = stock.item(idOf('InventoryItem', id));
  if (item) return stockNodes.item(item);
  const location = stock.location(idOf('Location', id));
  if (location) return stockNodes.location(location);
  const order = orders.find(idOf('Order', id));
  return order ? orderNodes.order(order) : bulk.find({ id });
}

/** Shopify counts no further than the limit, 10,000 unless told; null is no limit. */
function countOf(size: number, limit: number | null | undefined, query: string | null | undefined): object {
  // Only the whole catalogue is counted here; a search that is not understood is refused all the same.
  parseSearch(query);
  const most = limit ?? Infinity;
  return { count: Math.min(size, most), precision: size > most ? 'AT_LEAST' : 'EXACT' };
}
