import {
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  getNullableType,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isListType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

export const MOST_COST_OF_ONE_QUERY = 1_000;
const MUTATION_COST = 10;
const CONNECTION_COST = 2;
/** Money costs nothing, and neither do errors and pages' ends. */
const FREE = /^(?:MoneyBag|MoneyV2|PageInfo|Job|BulkOperation|.*UserError)$/;

/** A document with its schema, fragments and coerced variables. */
export interface Costed {
  schema: GraphQLSchema;
  fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  variables: Record<string, unknown>;
  /** Within a list that has a size. */
  isNested?: boolean;
}

/**
 * What a document costs: before it is run by the sizes that it asks for, and after it, with `data`, by those it
 * got. Objects cost 1, a mutation 10 with the object that it answers, and a connection 2 and its nodes' cost times a
 * size that grows with the logarithm of `first` (shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits gives the
 * first two; the last is fitted to costs that Shopify answered, and where lists are nested it is the higher one).
 */
export function costOf(operation: OperationDefinitionNode, costed: Costed, data?: unknown): number {
  const root = costed.schema.getRootType(operation.operation);
  if (!root) return 0;
  return fieldsIn(operation.selectionSet, root, costed).reduce((total, [type, field]) => {
    const answer = dataOf(data, field);
    if (operation.operation === 'query') return total + costOfField(field, type, costed, answer);
    return total + MUTATION_COST + costOfPayload(field, type, costed, answer);
  }, 0);
}

function costOfPayload(node: FieldNode, type: GraphQLCompositeType, costed: Costed, data: unknown): number {
  const payload = getNamedType(fieldNamed(type, node.name.value)?.type);
  if (!node.selectionSet || !isCompositeType(payload)) return 0;
  return fieldsIn(node.selectionSet, payload, costed).reduce((total, [parent, field]) => {
    const inner = costOfField(field, parent, costed, dataOf(data, field));
    return total + Math.max(inner - 1, 0);
  }, 0);
}

function costOfField(node: FieldNode, parent: GraphQLCompositeType, costed: Costed, data: unknown): number {
  const field = fieldNamed(parent, node.name.value);
  const type = field && getNamedType(field.type);
  if (!field || !node.selectionSet || !isCompositeType(type) || data === null || FREE.test(type.name))
    return 0;
  if (type.name.endsWith('Connection')) return costOfConnection(node, field, type, costed, data);
  const size = sizeIn(node, field, costed);
  const [first] = Array.isArray(data) ? (data as unknown[]) : [data];
  const isSized = isListType(getNullableType(field.type)) && size !== undefined;
  const within = isSized ? { ...costed, isNested: true } : costed;
  const each = 1 + costOfSelection(node.selectionSet, type, within, first);
  return isSized ? growth(Array.isArray(data) ? data.length : size) * each : each;
}

function costOfConnection(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  type: GraphQLCompositeType,
  costed: Costed,
  data: unknown,
): number {
  const within = { ...costed, isNested: true };
  const rowCosts = fieldsIn(node.selectionSet as SelectionSetNode, type, costed).map(([parent, inner]) => {
    const rowType = getNamedType(fieldNamed(parent, inner.name.value)?.type);
    if (!inner.selectionSet || !isCompositeType(rowType) || FREE.test(rowType.name)) return 0;
    const rows = dataOf(data, inner);
    const [first] = Array.isArray(rows) ? (rows as unknown[]) : [];
    const each = costOfSelection(inner.selectionSet, rowType, within, first);
    const size = Array.isArray(rows) ? rows.length : (sizeIn(node, field, costed) ?? 0);
    return growth(size) * (inner.name.value === 'edges' ? each : 1 + each);
  });
  return (costed.isNested ? 0 : CONNECTION_COST) + Math.max(0, ...rowCosts);
}

function costOfSelection(
  selection: SelectionSetNode,
  type: GraphQLCompositeType,
  costed: Costed,
  data: unknown,
): number {
  const byType = new Map<string, number>();
  for (const [parent, field] of fieldsIn(selection, type, costed)) {
    const cost = costOfField(field, parent, costed, dataOf(data, field));
    byType.set(parent.name, (byType.get(parent.name) ?? 0) + cost);
  }
  if (!isAbstractType(type)) return [...byType.values()].reduce((sum, cost) => sum + cost, 0);
  // Of an interface or a union the dearest possibility counts, and what is common to all of them.
  const common = byType.get(type.name) ?? 0;
  byType.delete(type.name);
  return common + Math.max(0, ...byType.values());
}

/** The fields of a selection with the type that each is of, fragments included and what is skipped left out. */
export function fieldsIn(
  selection: SelectionSetNode,
  type: GraphQLCompositeType,
  costed: Costed,
): [GraphQLCompositeType, FieldNode][] {
  return selection.selections.flatMap((node): [GraphQLCompositeType, FieldNode][] => {
    const { variables } = costed;
    if (getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true) return [];
    if (getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if === false) return [];
    if (node.kind === Kind.FIELD) return [[type, node]];
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? costed.fragments[node.name.value] : node;
    const name = fragment?.typeCondition?.name.value;
    const within = name === undefined ? type : costed.schema.getType(name);
    return fragment && isCompositeType(within) ? fieldsIn(fragment.selectionSet, within, costed) : [];
  });
}

/** A union has no fields of its own. */
export function fieldNamed(
  type: GraphQLCompositeType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  return 'getFields' in type ? type.getFields()[name] : undefined;
}

function sizeIn(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  { variables }: Costed,
): number | undefined {
  const given = getArgumentValues(field, node, variables);
  const size = given.first ?? given.last ?? (Array.isArray(given.ids) ? given.ids.length : undefined);
  return typeof size === 'number' ? size : undefined;
}

function growth(size: number): number {
  return size <= 1 ? size : Math.round(Math.log2(size) + 1);
}

function dataOf(data: unknown, { alias, name }: FieldNode): unknown {
  if (typeof data !== 'object' || data === null) return undefined;
  return (data as Record<string, unknown>)[(alias ?? name).value];
}
