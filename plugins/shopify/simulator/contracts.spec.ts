import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  buildSchema,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { BULK_LEVELS, DOCUMENTS } from '../shopify.documents';
import { adminSchema, officialFile } from './admin-schema';
import { startSimulator } from './index';
import { levelPayload, orderPayload, payloadOf } from './payloads';
import { costOf } from './query-cost';

const CONTRACTS = process.env.CONTRACTS_DIR ?? resolve(__dirname, '../../../../shared/contracts');
const VERSIONS = ['2026-07', '2026-10'];
const areThere = existsSync(officialFile(CONTRACTS, '2026-07'));
const withContracts = areThere ? describe : describe.skip;
const COMMAND = 'CONTRACTS_DIR=<folder with shopify/> npx jest plugins/shopify/simulator/contracts.spec.ts';

const official = (version: string) =>
  buildSchema(readFileSync(officialFile(CONTRACTS, version), 'utf8'), {
    assumeValidSDL: true,
    noLocation: true,
  });

test('every document of the plugin is valid in the reduced schema', () => {
  const faults = [...Object.values(DOCUMENTS), BULK_LEVELS].flatMap((text) =>
    validate(adminSchema('2026-07', undefined), parse(text)).map(({ message }) => message),
  );
  expect(faults).toEqual([]);
});

withContracts(`the official schemas (${COMMAND})`, () => {
  test.each(VERSIONS)(
    '%s has every type, field and argument of the reduced schema, of the same type',
    (version) => {
      const [ours, theirs] = [adminSchema(version, undefined), official(version)];
      expect(membersOf(ours).length).toBeGreaterThan(300);
      const known = new Set(membersOf(theirs));
      expect(membersOf(ours).filter((member) => !known.has(member))).toEqual([]);
    },
  );

  test.each(VERSIONS)('the simulator answers alike on the official schema of %s', async (version) => {
    const answers = [];
    for (const contracts of [CONTRACTS, '/nowhere']) answers.push(await answersOf(version, contracts));
    expect(answers[0]).toEqual(answers[1]);
  });
});

withContracts(`what was recorded of Shopify (${COMMAND})`, () => {
  const recorded = areThere ? recordedCalls() : [];

  test('most recorded queries cost here what they cost there, and none is much cheaper', () => {
    const schema = official('2026-07');
    const costs = recorded.map(({ query, variables, requested }) => ({
      name: /(?:query|mutation)\s+(\w+)/.exec(query)?.[1],
      requested,
      here: costIn(schema, query, variables),
    }));
    expect(costs.length).toBeGreaterThan(30);
    expect(costs.filter(({ requested, here }) => here < requested - 10)).toEqual([]);
    expect(costs.filter(({ requested, here }) => Math.abs(here - requested) <= 1).length).toBeGreaterThan(
      costs.length * 0.8,
    );
  });

  test('refusals are worded as recorded', async () => {
    const messages = new Map(
      recorded.flatMap(({ errors }) => errors.map(({ code, message }) => [code, message])),
    );
    const here = await refusalsOfSet();
    const compared = [...here].filter(([code]) => messages.has(code));
    expect(compared.length).toBeGreaterThan(3);
    expect(compared).toEqual(compared.map(([code]) => [code, messages.get(code)]));
  });
});

withContracts(`Shopify's samples of webhooks (${COMMAND})`, () => {
  test.each([
    'orders/updated',
    'orders/edited',
    'refunds/create',
    'returns/approve',
    'returns/close',
    'inventory_levels/update',
  ])('%s has every field that the simulator sends', async (topic) => {
    const file = join(CONTRACTS, 'shopify/webhooks-2026-07/metadatas', `${topic}.json`);
    const { response } = JSON.parse(readFileSync(file, 'utf8')) as { response: object };
    expect(strangersIn(await payloadFor(topic), response)).toEqual([]);
  });
});

/** Every part of a schema in one line: `Order.refunds(first: Int): [Refund!]!` by argument and by field. */
function membersOf(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => [`${type.constructor.name} ${type.name}`, ...fieldsOf(type)]);
}

type Field = GraphQLField<unknown, unknown> | GraphQLInputField;

function fieldsOf(type: GraphQLNamedType): string[] {
  if (isEnumType(type)) return type.getValues().map(({ name }) => `${type.name}.${name}`);
  if (isUnionType(type)) return type.getTypes().map(({ name }) => `${type.name} | ${name}`);
  if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) return [];
  const isOneOf = isInputObjectType(type) && type.isOneOf ? [`${type.name} one of`] : [];
  return Object.values<Field>(type.getFields()).reduce(
    (members, field) => [
      ...members,
      `${type.name}.${field.name}: ${String(field.type)} = ${JSON.stringify('defaultValue' in field ? field.defaultValue : undefined)}`,
      ...('args' in field
        ? field.args.map(
            (arg) =>
              `${type.name}.${field.name}(${arg.name}: ${String(arg.type)} = ${JSON.stringify(arg.defaultValue)})`,
          )
        : []),
    ],
    isOneOf,
  );
}

interface RecordedCall {
  query: string;
  variables: Record<string, unknown>;
  requested: number;
  errors: { code: string; message: string }[];
}

/** Every query in the recordings with what Shopify said of its cost, and its user errors. */
function recordedCalls(): RecordedCall[] {
  const calls = new Map<string, RecordedCall>();
  const walk = (value: unknown, query?: string, variables: Record<string, unknown> = {}): void => {
    if (typeof value !== 'object' || value === null) return;
    const node = value as Record<string, unknown> & { request?: Record<string, unknown> };
    const call = typeof node.query === 'string' ? node : node.request;
    const [ownQuery, ownVariables] =
      typeof call?.query === 'string' ? [call.query, call.variables as typeof variables] : [query, variables];
    const cost = (node.extensions as { cost?: { requestedQueryCost: number } } | undefined)?.cost;
    if (cost && ownQuery && node.data) {
      const errors = userErrorsIn(node.data);
      const requested = cost.requestedQueryCost;
      // What was recorded beside a call, to set it up, has the call's query above it and another one's cost.
      const isOwn = Object.keys(node.data).every((field) => ownQuery.includes(field));
      if (isOwn)
        calls.set(`${ownQuery} ${JSON.stringify(ownVariables)}`, {
          query: ownQuery,
          variables: ownVariables ?? {},
          requested,
          errors,
        });
    }
    for (const inner of Object.values(node)) walk(inner, ownQuery, ownVariables);
  };
  const folder = join(CONTRACTS, 'shopify/recordings');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  ))
    walk(JSON.parse(readFileSync(join(folder, file), 'utf8')));
  return [...calls.values()];
}

function userErrorsIn(data: object): { code: string; message: string }[] {
  return Object.values(data).flatMap(
    (payload: { userErrors?: { code: string; message: string }[] } | null) => payload?.userErrors ?? [],
  );
}

function costIn(schema: GraphQLSchema, query: string, variables: Record<string, unknown>): number {
  const { definitions } = parse(query);
  const operation = definitions.find(
    ({ kind }) => kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode;
  const fragments = definitions.filter(
    (each): each is FragmentDefinitionNode => each.kind === Kind.FRAGMENT_DEFINITION,
  );
  return costOf(operation, {
    ...{ schema, variables: variables ?? {} },
    fragments: Object.fromEntries(fragments.map((each) => [each.name.value, each])),
  });
}

const SHOP = { webhookSecret: 'the-client-secret', token: 'shpat_of_the_shop', locations: ['1', '2'] };
const AT = '2026-11-01T10:00:00Z';

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

async function withOrder<T>(options: object, act: (shop: Simulator) => T | Promise<T>): Promise<T> {
  const shop = await startSimulator({ ...SHOP, ...options });
  try {
    shop.list([{ channelSku: 'A', quantityUnits: 9 }]);
    shop.placeOrder({
      orderId: '41',
      placedAt: AT,
      lines: [{ lineId: '42', channelSku: 'A', quantityUnits: 5 }],
    });
    shop.orders.fulfil('41', AT, new Map([['42', 3]]));
    shop.orders.edit('41', [{ lineId: '42', channelSku: 'A', quantityUnits: 4 }], AT);
    shop.orders.openReturn('41', new Map([['42', 1]]), AT);
    return await act(shop);
  } finally {
    await shop.close();
  }
}

async function call(shop: Simulator, query: string, variables: object, version = '2026-07'): Promise<object> {
  const response = await fetch(`${shop.url}/admin/api/${version}/graphql.json`, {
    method: 'POST',
    headers: { 'x-shopify-access-token': SHOP.token, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as object;
}

/** The same calls of a shop on one schema; what is drawn or told by the clock is left out. */
function answersOf(version: string, contracts: string): Promise<unknown[]> {
  const sizes = { first: 5, lines: 5, assigned: true, returns: true };
  return withOrder({ contracts }, async (shop) => {
    const item = `gid://shopify/InventoryItem/${shop.stock.items[0]!.itemId}`;
    const calls: [keyof typeof DOCUMENTS, object][] = [
      ['Orders', sizes],
      ['LocationLevels', { location: 'gid://shopify/Location/1', first: 5 }],
      ['LevelsAt', { items: [item, 'gid://shopify/InventoryItem/9'], location: 'gid://shopify/Location/1' }],
      [
        'SuggestedRefund',
        {
          id: 'gid://shopify/Order/41',
          refundLines: [{ lineItemId: 'gid://shopify/LineItem/42', quantity: 1 }],
        },
      ],
      ['SetQuantities', { input: { name: 'x', reason: 'x', quantities: [] }, key: 'k' }],
      [
        'SetQuantities',
        { input: { name: 'x', reason: 'x', quantities: [], ignoreCompareQuantity: true }, key: 'k' },
      ],
      ['CancelOrder', { id: 'gid://shopify/Order/41', notify: true, staffNote: null }],
      ['WebhookSubscriptions', { first: 5 }],
      ['Access', {}],
    ];
    const answers = [];
    for (const [name, variables] of calls) {
      const { data, errors } = (await call(shop, DOCUMENTS[name], variables, version)) as Record<
        string,
        object
      >;
      answers.push([name, data, errors]);
    }
    return JSON.parse(JSON.stringify(answers).replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'T')) as unknown[];
  });
}

function refusalsOfSet(): Promise<[string, string][]> {
  return withOrder({}, async (shop) => {
    const inventoryItemId = `gid://shopify/InventoryItem/${shop.stock.items[0]!.itemId}`;
    const row = {
      inventoryItemId,
      locationId: 'gid://shopify/Location/1',
      quantity: 1,
      changeFromQuantity: null,
    };
    const inputs = [
      { quantities: [{ ...row, inventoryItemId: 'gid://shopify/InventoryItem/9' }] },
      { quantities: [{ ...row, locationId: 'gid://shopify/Location/9' }] },
      { quantities: [{ ...row, quantity: 1_000_000_001 }] },
      { quantities: [{ ...row, quantity: -1_000_000_001 }] },
      { quantities: [{ ...row, quantity: -1 }], name: 'on_hand' },
    ];
    const refusals: [string, string][] = [];
    for (const [key, input] of inputs.entries()) {
      const variables = { input: { name: 'available', reason: 'correction', ...input }, key: String(key) };
      const { data } = (await call(shop, DOCUMENTS.SetQuantities, variables)) as { data: object };
      refusals.push(...userErrorsIn(data).map(({ code, message }) => [code, message] as [string, string]));
    }
    return refusals;
  });
}

function payloadFor(topic: string): Promise<object> {
  return withOrder({}, ({ orders, stock }) => {
    const order = orders.get('41');
    const none = new Set<string>();
    if (topic === 'inventory_levels/update') return levelPayload([...stock.items[0]!.levels.values()][0]!);
    if (topic === 'orders/updated') return orderPayload(order, none);
    const edit = { additions: [], removals: [{ lineId: '42', delta: 1 }] };
    return payloadOf({ topic, order, edit, refund: order.refunds[0], returnId: order.returns[0]!.id }, none);
  });
}

/** Fields of ours that the sample lacks. Of a list its first member counts, and an empty sample says nothing. */
function strangersIn(ours: unknown, sample: unknown, path = ''): string[] {
  if (Array.isArray(ours) && Array.isArray(sample))
    return ours.length > 0 && sample.length > 0 ? strangersIn(ours[0], sample[0], `${path}[]`) : [];
  if (typeof ours !== 'object' || ours === null || typeof sample !== 'object' || sample === null) return [];
  return Object.entries(ours).flatMap(([name, value]) =>
    name in sample
      ? strangersIn(value, (sample as Record<string, unknown>)[name], `${path}.${name}`)
      : [`${path}.${name}`],
  );
}
