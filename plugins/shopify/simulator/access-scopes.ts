import {
  getNamedType,
  type GraphQLCompositeType,
  isCompositeType,
  type OperationDefinitionNode,
} from 'graphql';
import { type Costed, fieldNamed, fieldsIn } from './query-cost';

/** What a field asks for (shopify.dev/docs/api/usage/access-scopes). */
const REQUIRED: Readonly<Record<string, string>> = {
  'QueryRoot.locations': 'read_locations',
  'QueryRoot.location': 'read_locations',
  'QueryRoot.orders': 'read_orders',
  'QueryRoot.order': 'read_orders',
  'QueryRoot.productVariants': 'read_products',
  'QueryRoot.productVariantsCount': 'read_products',
  'Location.inventoryLevels': 'read_inventory',
  'InventoryItem.variant': 'read_products',
  'Order.fulfillmentOrders': 'read_merchant_managed_fulfillment_orders',
  'Order.returns': 'read_returns',
  'Mutation.inventoryActivate': 'write_inventory',
  'Mutation.inventorySetQuantities': 'write_inventory',
  'Mutation.orderCancel': 'write_orders',
  'Mutation.refundCreate': 'write_orders',
};

/** Orders of more than 60 days ago are shown to apps with this scope only. */
export const ALL_ORDERS = 'read_all_orders';

/** All that the fields above ask for, as a merchant grants them at once. */
export const ALL_SCOPES: readonly string[] = [...new Set(Object.values(REQUIRED)), ALL_ORDERS];

export interface Denied {
  field: string;
  scope: string;
}

/** The first field of a document that the scopes do not allow. A scope to write is one to read as well. */
export function deniedField(
  operation: OperationDefinitionNode,
  costed: Costed,
  scopes: readonly string[],
): Denied | undefined {
  const granted = new Set(scopes.flatMap((scope) => [scope, scope.replace(/^write_/, 'read_')]));
  const within = (type: GraphQLCompositeType, selection = operation.selectionSet): Denied | undefined => {
    for (const [parent, { name, selectionSet }] of fieldsIn(selection, type, costed)) {
      const scope = REQUIRED[`${parent.name}.${name.value}`];
      if (scope !== undefined && !granted.has(scope)) return { field: name.value, scope };
      const field = fieldNamed(parent, name.value);
      const inner = field && getNamedType(field.type);
      const denied = selectionSet && isCompositeType(inner) ? within(inner, selectionSet) : undefined;
      if (denied) return denied;
    }
    return undefined;
  };
  const root = costed.schema.getRootType(operation.operation);
  return root ? within(root) : undefined;
}
