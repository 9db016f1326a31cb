import { createHash } from 'node:crypto';
import type { RateLimit } from 'onhand/channel-api';
import type { DocumentName } from './shopify.documents';

/** Rows of one `inventorySetQuantities`: no array that the API takes is longer. https://shopify.dev/docs/api/usage/limits */
export const MAX_ROWS = 250;

/**
 * Points of query cost, counted by app and shop. This is the standard plan; every answer says what the shop's
 * own plan gives, and the host goes by that from the first one on.
 * @see https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits
 */
export function limits(): RateLimit[] {
  return [{ name: 'points', perSecond: 100, burst: 2_000 }];
}

/** How many of each a page asks for. Shopify refuses a query that could cost too much; then it is halved. */
export const PAGE_SIZES = { levels: 200, variants: 200, items: 100, locations: 100, orders: 100 } as const;

/** Nested lists of an order; one with more is read again by itself, with the most that Shopify takes. */
export const ORDER_LINES = { inPage: 20, alone: 250 } as const;

export type Variables = Record<string, unknown>;

/** A mutation costs 10, and what it answers. */
const MUTATION_COST = 20;

/** Fulfilment orders hang below an order as deep as all of its lines do. */
const ASSIGNED_COST = 600;

/**
 * Points by which a query is planned the first time, when its true cost is not known: what the published rules
 * make of the largest page, and some more.
 */
const FIRST_COSTS: Partial<Record<DocumentName, number>> = {
  Access: 10,
  BulkOperation: 5,
  CatalogueSize: 10,
  Job: 5,
  LevelsAt: 60,
  LocationLevels: 100,
  Locations: 30,
  Order: 350,
  Orders: 350,
  SuggestedRefund: 60,
  Variants: 60,
  WebhookSubscriptions: 30,
};

const COSTS_KEPT = 500;

/**
 * What queries cost. Shopify takes a query only when what it could cost at most is left, and says that figure
 * in each answer; the same query in the same size costs the same the next time.
 */
export class QueryCosts {
  private readonly known = new Map<string, number>();

  /** Points to be planned for a call. */
  of(document: DocumentName, variables: Variables): number {
    const first =
      (FIRST_COSTS[document] ?? MUTATION_COST) + (variables.assigned === true ? ASSIGNED_COST : 0);
    return this.known.get(sizeOf(document, variables)) ?? first;
  }

  /** What Shopify reckoned the call to cost at most, when it was asked. */
  note(document: DocumentName, variables: Variables, requestedCost: number): void {
    if (!(requestedCost > 0)) return;
    const size = sizeOf(document, variables);
    if (this.known.size >= COSTS_KEPT) this.known.clear();
    // The larger one, where what a search finds changes its cost.
    this.known.set(size, Math.max(requestedCost, this.known.get(size) ?? 0));
  }
}

/** Page sizes, list lengths and switches decide on a cost; ids and cursors do not. */
function sizeOf(document: DocumentName, variables: Variables): string {
  const sizes = Object.entries(variables).map(([name, value]) => {
    if (Array.isArray(value)) return `${name}:${value.length}`;
    return typeof value === 'number' || typeof value === 'boolean' ? `${name}:${value}` : name;
  });
  return `${document} ${sizes.join(' ')}`;
}

/** An idempotency key: a UUID drawn from what the call is for. The same parts give the same key, on every host. */
export function idempotencyKey(...parts: string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
  // Marked as a UUID of a maker's own kind (version 8, RFC 9562).
  const marked = `${digest.slice(0, 12)}8${digest.slice(13, 16)}${'89ab'[parseInt(digest[16]!, 16) % 4]}${digest.slice(17)}`;
  return marked.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
