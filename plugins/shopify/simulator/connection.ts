import { GraphQLError } from 'graphql';

export interface ConnectionArguments {
  first?: number | null;
  last?: number | null;
  after?: string | null;
  before?: string | null;
  reverse?: boolean | null;
}

/** What a call is executed with. A bulk operation reads whole connections and names no page size. */
export interface CallContext {
  readonly apiVersion: string;
  readonly isBulk: boolean;
  /** Answer as if applied, and apply nothing. */
  readonly pretend: boolean;
}

export interface Connected<T> {
  edges: { cursor: string; node: T }[];
  nodes: T[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

/** Nobody pages further than this; what is larger is read in bulk (shopify.dev/docs/api/usage/pagination-graphql). */
const MOST_PAGED = 25_000;

/** Page sizes and arrays alike (shopify.dev/api/usage/limits). */
export const MOST_ITEMS = 250;

/**
 * A page of rows that are sorted by `keyOf`. A cursor holds the key of its row, so that what comes after it is
 * the same whatever was added or moved meanwhile. Throws `GraphQLError` on a page size that is missing or too large.
 */
export function connect<Row, Node>(
  rows: readonly Row[],
  { first, last, after, before, reverse }: ConnectionArguments,
  { isBulk }: CallContext,
  keyOf: (row: Row, index: number) => readonly [number, number],
  nodeOf: (row: Row) => Node,
): Connected<Node> {
  const size = isBulk ? rows.length : pageSize(first, last);
  const keyed = rows.map((row, index) => ({ row, key: keyOf(row, index) }));
  if (reverse) keyed.reverse();
  const sign = reverse ? -1 : 1;
  const within = keyed.filter(({ key }) => {
    const isAfter = !after || sign * compare(key, keyIn(after)) > 0;
    return isAfter && (!before || sign * compare(key, keyIn(before)) < 0);
  });
  const page = first == null && last != null ? within.slice(-size) : within.slice(0, size);
  if (!isBulk && keyed.length - within.length + page.length > MOST_PAGED)
    throw new GraphQLError(`a connection is paged through its first ${MOST_PAGED} items only`);
  const edges = page.map(({ row, key }) => ({ cursor: cursorOf(key), node: nodeOf(row) }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: page.length > 0 && page.at(-1) !== keyed.at(-1),
      hasPreviousPage: page.length > 0 && page[0] !== keyed[0],
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** Rows that never move: their place is their key. */
export const byPlace = (_: unknown, index: number): readonly [number, number] => [0, index];

function pageSize(first: number | null | undefined, last: number | null | undefined): number {
  const size = first ?? last;
  if (size == null) throw new GraphQLError('you must provide one of first or last');
  if (size < 0 || size > MOST_ITEMS)
    throw new GraphQLError(`a page has from 0 to ${MOST_ITEMS} items, and ${size} were asked for`);
  return size;
}

function compare([a, b]: readonly [number, number], [c, d]: readonly [number, number]): number {
  return a - c || b - d;
}

function cursorOf([value, id]: readonly [number, number]): string {
  return Buffer.from(JSON.stringify({ last_id: id, last_value: value })).toString('base64');
}

function keyIn(cursor: string): readonly [number, number] {
  try {
    const { last_id: id, last_value: value } = JSON.parse(Buffer.from(cursor, 'base64').toString()) as Record<
      string,
      unknown
    >;
    if (typeof id === 'number' && typeof value === 'number') return [value, id];
  } catch {
    // It is told below, with all others that are none of ours.
  }
  throw new GraphQLError('Invalid cursor for current pagination sort.');
}
