import { byPlace, type CallContext, connect, type Connected, type ConnectionArguments } from './connection';
import { gid, idOf } from './ids';
import { compareText, parseSearch } from './search-query';
import { quantityOf, type Stock, type StockItem, type StockLevel, type StockLocation } from './stock';

type Searched = ConnectionArguments & { query?: string | null };
type Node = Record<string, unknown>;

/** Items, variants, levels and locations as the API gives them. */
export class StockNodes {
  constructor(
    private readonly stock: Stock,
    /** SKUs whose quantities are left out, as the API does not document. */
    private readonly spoiled: ReadonlySet<string>,
  ) {}

  location = (location: StockLocation): Node => ({
    ...{ __typename: 'Location', id: gid('Location', location.id), name: location.name },
    inventoryLevels: (args: ConnectionArguments, context: CallContext) => {
      const levels = this.stock.items.flatMap(({ levels: all }) => all.get(location.id) ?? []);
      return connect(levels, args, context, byPlace, this.level);
    },
  });

  item = (item: StockItem): Node => ({
    ...{ __typename: 'InventoryItem', id: gid('InventoryItem', item.itemId), sku: item.sku },
    variant: () => this.variant(item),
    inventoryLevel: ({ locationId }: { locationId: string }) => {
      const level = item.levels.get(idOf('Location', locationId) ?? '');
      return level ? this.level(level) : null;
    },
  });

  variant = (item: StockItem): Node => ({
    ...{ __typename: 'ProductVariant', id: gid('ProductVariant', item.variantId), sku: item.sku },
    ...{ barcode: item.barcode ?? null, displayName: item.title },
    inventoryItem: () => this.item(item),
  });

  level = (level: StockLevel): Node => ({
    __typename: 'InventoryLevel',
    id: `${gid('InventoryLevel', level.location.id)}?inventory_item_id=${level.item.itemId}`,
    item: () => this.item(level.item),
    quantities: ({ names }: { names: string[] }) => this.quantities(level, names),
  });

  variants = ({ query, ...args }: Searched, context: CallContext): Connected<Node> =>
    this.searched(query, args, context, this.variant);

  locations = (args: ConnectionArguments, context: CallContext): Connected<Node> =>
    connect(this.stock.locations, args, context, byPlace, this.location);

  private searched(
    query: string | null | undefined,
    args: ConnectionArguments,
    context: CallContext,
    nodeOf: (item: StockItem) => Node,
  ): Connected<Node> {
    const matches = parseSearch(query);
    const keyed = this.stock.items.map((item, index) => ({ item, index }));
    const found = keyed.filter(({ item }) =>
      matches((field, compare, value) => {
        if (field === 'sku') return compareText(item.sku, compare, value);
        if (field === 'barcode') return compareText(item.barcode, compare, value);
        return false;
      }),
    );
    return connect(
      found,
      args,
      context,
      ({ index }) => [0, index],
      ({ item }) => nodeOf(item),
    );
  }

  private quantities(level: StockLevel, names: readonly string[]): Node[] {
    if (this.spoiled.has(level.item.sku)) return [];
    return names.flatMap((name) => {
      const quantity = quantityOf(level, name);
      if (quantity === undefined) return [];
      const id = `${gid('InventoryQuantity', level.location.id)}?inventory_item_id=${level.item.itemId}&name=${name}`;
      return [{ id, name, quantity }];
    });
  }
}

/** Times are by the second, in UTC. */
export function apiTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
