import { stateOfNode } from './shopify.order-node';
import { stateOfPayload } from './shopify.order-payload';
import { documentOf, type OrderRules } from './shopify.translate';

const RULES: OrderRules = { mapBy: 'sku', orderLocations: 'none' };

/** An order with one line of a variant, as both of Shopify's forms have it. Made from its documents. */
interface Facts {
  ordered?: number;
  current?: number;
  remaining?: number;
  /** Status and units of each fulfilment. */
  fulfilments?: [string, number][];
  /** Restock type and units of each refund. */
  refunds?: [string, number][];
  cancelledAt?: string;
  sku?: string | null;
  variant?: boolean;
}

const LINE = '820982911946154508';

function node(facts: Facts, more: object = {}) {
  const { ordered = 3, current = ordered, remaining = ordered, sku = 'A' } = facts;
  const { fulfilments = [], refunds = [], cancelledAt = null, variant = true } = facts;
  const lineItem = { id: `gid://shopify/LineItem/${LINE}` };
  return {
    ...{ id: 'gid://shopify/Order/1', createdAt: '2026-01-01T09:00:00Z', updatedAt: '2026-01-01T10:00:00Z' },
    ...{ cancelledAt, test: false, sourceName: 'web', retailLocation: null },
    lineItems: {
      nodes: [
        {
          ...{
            ...lineItem,
            sku,
            quantity: ordered,
            currentQuantity: current,
            unfulfilledQuantity: remaining,
          },
          variant: variant ? { id: 'gid://shopify/ProductVariant/5', barcode: '400' } : null,
        },
      ],
    },
    fulfillments: fulfilments.map(([status, quantity]) => ({
      ...{ status: status.toUpperCase(), location: null },
      fulfillmentLineItems: { nodes: [{ quantity, lineItem }] },
    })),
    refunds: refunds.map(([restockType, quantity]) => ({
      ...{
        note: null,
        refundLineItems: { nodes: [{ quantity, restockType: restockType.toUpperCase(), lineItem }] },
      },
    })),
    ...more,
  };
}

function payload(facts: Facts, more: object = {}): Record<string, unknown> {
  const { ordered = 3, current = ordered, remaining = ordered, sku = 'A' } = facts;
  const { fulfilments = [], refunds = [], cancelledAt = null, variant = true } = facts;
  const line = { id: LINE, admin_graphql_api_id: `gid://shopify/LineItem/${LINE}` };
  return {
    ...{
      id: 1,
      admin_graphql_api_id: 'gid://shopify/Order/1',
      test: false,
      source_name: 'web',
      location_id: null,
    },
    ...{
      created_at: '2026-01-01T04:00:00-05:00',
      updated_at: '2026-01-01T05:00:00-05:00',
      cancelled_at: cancelledAt,
    },
    line_items: [
      {
        ...{ ...line, sku, variant_id: variant ? 5 : null, quantity: ordered },
        ...{ current_quantity: current, fulfillable_quantity: remaining },
      },
    ],
    fulfillments: fulfilments.map(([status, quantity]) => ({ status, line_items: [{ id: LINE, quantity }] })),
    refunds: refunds.map(([restock_type, quantity]) => ({
      refund_line_items: [{ line_item_id: LINE, quantity, restock_type }],
    })),
    ...more,
  };
}

const counts = (cancelled: number, fulfilled: number, returned: number) => ({
  cancelled,
  fulfilled,
  returned,
});

describe('an order of three units', () => {
  test.each<[string, Facts, ReturnType<typeof counts>]>([
    ['just placed', {}, counts(0, 0, 0)],
    ['sent in part', { remaining: 2, fulfilments: [['success', 1]] }, counts(0, 1, 0)],
    [
      'whose parcel failed',
      {
        fulfilments: [
          ['failure', 1],
          ['cancelled', 2],
          ['error', 1],
        ],
      },
      counts(0, 0, 0),
    ],
    [
      'with a service that was asked to send',
      { remaining: 1, fulfilments: [['pending', 2]] },
      counts(0, 0, 0),
    ],
    ['cancelled in part', { current: 2, remaining: 2, refunds: [['cancel', 1]] }, counts(1, 0, 0)],
    ['edited down', { current: 1, remaining: 1 }, counts(2, 0, 0)],
    ['cancelled', { current: 0, remaining: 0, cancelledAt: '2026-01-01T10:00:00Z' }, counts(3, 0, 0)],
    ['cancelled, with its lines as they were', { cancelledAt: '2026-01-01T10:00:00Z' }, counts(3, 0, 0)],
    [
      'cancelled after a part was sent',
      { current: 1, remaining: 0, fulfilments: [['success', 1]], cancelledAt: '2026-01-01T10:00:00Z' },
      counts(2, 1, 0),
    ],
    [
      'refunded unsent without restock',
      { current: 1, remaining: 1, refunds: [['no_restock', 2]] },
      counts(2, 0, 0),
    ],
    [
      'sent, then refunded without restock',
      { current: 2, remaining: 0, fulfilments: [['success', 3]], refunds: [['no_restock', 1]] },
      counts(0, 3, 0),
    ],
    [
      'sent in part, then refunded the rest without restock',
      { current: 1, remaining: 0, fulfilments: [['success', 1]], refunds: [['no_restock', 2]] },
      counts(2, 1, 0),
    ],
    [
      'sent in part, and refunded of what was sent',
      { current: 2, remaining: 2, fulfilments: [['success', 1]], refunds: [['no_restock', 1]] },
      counts(0, 1, 0),
    ],
    [
      'sent and returned in part',
      { current: 2, remaining: 0, fulfilments: [['success', 3]], refunds: [['return', 1]] },
      counts(0, 3, 1),
    ],
    [
      'cancelled, sent and returned by one each',
      {
        current: 1,
        remaining: 1,
        fulfilments: [['success', 1]],
        refunds: [
          ['cancel', 1],
          ['return', 1],
        ],
      },
      counts(1, 1, 1),
    ],
    [
      'returned in part, with the rest asked of a service',
      {
        current: 2,
        remaining: 0,
        fulfilments: [
          ['success', 1],
          ['open', 2],
        ],
        refunds: [['return', 1]],
      },
      counts(0, 1, 1),
    ],
    [
      'refunded in part, with the rest asked of a service',
      {
        current: 2,
        remaining: 0,
        fulfilments: [
          ['success', 1],
          ['open', 2],
        ],
        refunds: [['no_restock', 1]],
      },
      counts(0, 1, 0),
    ],
  ])('%s says so, in an answer and in a webhook alike', (_, facts, expected) => {
    const fromNode = documentOf(stateOfNode(node(facts)), RULES);
    expect(fromNode.lines).toEqual([{ lineId: LINE, channelSku: 'A', ordered: 3, ...expected }]);
    expect(documentOf(stateOfPayload(payload(facts)), RULES)).toEqual(fromNode);
  });
});

test('times are in UTC, and the time of the last change is the revision', () => {
  expect(documentOf(stateOfPayload(payload({})), RULES)).toMatchObject({
    ...{ placedAt: '2026-01-01T09:00:00.000Z', updatedAt: '2026-01-01T10:00:00.000Z' },
    revision: Date.UTC(2026, 0, 1, 10),
  });
});

test.each<[string, Facts, OrderRules, string[]]>([
  ['by SKU', {}, RULES, ['A']],
  ['by barcode', {}, { ...RULES, mapBy: 'barcode' }, ['400']],
  ['of a product that was deleted since', { variant: false }, RULES, ['A']],
  ['of a variant without a SKU', { sku: '' }, RULES, ['variant:5']],
  ['of a tip', { sku: null, variant: false }, RULES, []],
])('a line %s is %j', (_, facts, rules, expected) => {
  expect(documentOf(stateOfNode(node(facts)), rules).lines.map(({ channelSku }) => channelSku)).toEqual(
    expected,
  );
});

test('a sale over the counter is taken from where it was made, all others from where the options say', () => {
  const counter = { sourceName: 'pos', retailLocation: { id: 'gid://shopify/Location/8' } };
  const at = (order: object, orderLocations: string) =>
    documentOf(stateOfNode(order), { ...RULES, orderLocations }).lines[0]?.channelLocation;
  expect([at(node({}, counter), 'none'), at(node({}), 'none'), at(node({}), '9')]).toEqual([
    '8',
    undefined,
    '9',
  ]);
  const sold = stateOfPayload(payload({}, { source_name: 'pos', location_id: 8 }));
  expect(documentOf(sold, RULES).lines[0]?.channelLocation).toBe('8');
});

describe('an order that is routed to locations', () => {
  const ASSIGNED = { ...RULES, orderLocations: 'assigned' };
  const lineItem = { id: `gid://shopify/LineItem/${LINE}` };
  const routed = (status: string, location: string | null, remainingQuantity: number) => ({
    status,
    assignedLocation: { location: location && { id: `gid://shopify/Location/${location}` } },
    lineItems: { nodes: [{ totalQuantity: 9, remainingQuantity, lineItem }] },
  });
  const linesOf = (facts: Facts, orders: object[], more: object = {}) =>
    documentOf(stateOfNode(node(facts, { fulfillmentOrders: { nodes: orders }, ...more })), ASSIGNED).lines;
  const part = (location: string, ordered: number, cancelled = 0, fulfilled = 0, returned = 0) => ({
    ...{ lineId: `${LINE}@${location}`, channelSku: 'A', channelLocation: location },
    ...{ ordered, cancelled, fulfilled, returned },
  });

  test('has a line for each that sends of it, and none for those that ended', () => {
    expect(
      linesOf({}, [routed('OPEN', '7', 2), routed('ON_HOLD', '8', 1), routed('CLOSED', '9', 3)]),
    ).toEqual([part('7', 2), part('8', 1)]);
  });

  test('counts what was sent where it was sent, and what was cancelled once', () => {
    const sent = (location: string, quantity: number) => ({
      ...{ status: 'SUCCESS', location: { id: `gid://shopify/Location/${location}` } },
      fulfillmentLineItems: { nodes: [{ quantity, lineItem }] },
    });
    const facts: Facts = {
      ordered: 5,
      current: 3,
      remaining: 1,
      refunds: [
        ['cancel', 1],
        ['return', 1],
      ],
    };
    const more = { fulfillments: [sent('7', 1), sent('8', 2)] };
    expect(linesOf(facts, [routed('IN_PROGRESS', '8', 1)], more)).toEqual([
      part('7', 2, 1, 1, 1),
      part('8', 3, 0, 2),
    ]);
  });

  test('has a line without a location as long as it is routed nowhere', () => {
    const [line, ...others] = linesOf({}, [routed('OPEN', null, 3)]);
    expect([line?.lineId, line?.channelLocation, others]).toEqual([LINE, undefined, []]);
  });
});

test('what a return put back on the shelf is returned, with or without a refund that says so', () => {
  const lineItem = { id: `gid://shopify/LineItem/${LINE}` };
  const back = (type: string, quantity: number) => ({
    fulfillmentLineItem: { lineItem },
    dispositions: [{ type, quantity }],
  });
  const lineItems = { nodes: [back('RESTOCKED', 2), back('NOT_RESTOCKED', 1)] };
  const returns = { nodes: [{ reverseFulfillmentOrders: { nodes: [{ lineItems }] } }] };
  const facts: Facts = { remaining: 0, fulfilments: [['success', 3]] };
  expect(documentOf(stateOfNode(node(facts, { returns })), RULES).lines).toMatchObject([counts(0, 3, 2)]);
});

test.each<[string, (order: ReturnType<typeof node>) => unknown, RegExp]>([
  ['no object', () => null, /the order must be an object/],
  [
    'an id of another type',
    (order) => ({ ...order, id: 'gid://shopify/DraftOrder/1' }),
    /^id must be a global id of Order/,
  ],
  [
    'a time that is none',
    (order) => ({ ...order, updatedAt: 'yesterday' }),
    /^updatedAt must be an ISO 8601 time/,
  ],
  ['half a unit', () => node({ current: 0.5 }), /currentQuantity must be a whole number/],
  ['less than nothing', () => node({ ordered: -1 }), /quantity must be a whole number/],
  ['refunds that are no list', (order) => ({ ...order, refunds: {} }), /^refunds must be a list/],
])('an order with %s is named by its field, and not quoted', (_, change, expected) => {
  expect(() => stateOfNode(change(node({ sku: 'the buyer’s' })))).toThrow(expected);
});
