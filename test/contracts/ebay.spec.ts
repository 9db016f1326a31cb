import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import { ebayError, lineOf, offersOf, orderOf } from '../../plugins/ebay/ebay.fixtures';
import plugin from '../../plugins/ebay/ebay.plugin';
import { startSimulator } from '../../plugins/ebay/simulator';
import { type Channel, createChannelHttp, memorySecrets, resolvePluginOptions } from '../../src/channel-api';
import { collect, systemClock } from '../../src/channel-api/testing';

/**
 * What the plugin sends, and what the simulator and the specs' fixtures answer, against eBay's own OpenAPI files and
 * signature vectors. They are not part of the project, for their licence does not allow that.
 */
const CONTRACTS = process.env.CONTRACTS_DIR ?? resolve(__dirname, '../../../shared/contracts');
const EBAY = join(CONTRACTS, 'ebay');
const COMMAND = 'CONTRACTS_DIR=<folder with ebay/openapi> npx jest test/contracts/ebay.spec.ts';

const FILES = [
  'openapi/sell_inventory_v1_oas3.json',
  'openapi/sell_fulfillment_v1_oas3.json',
  'openapi/commerce_notification_v1_oas3.json',
  'openapi/developer_analytics_v1_beta_oas3.json',
  'openapi/developer_key_management_v1_oas3.json',
  'unofficial-post-order/cancellation_oas3.json',
  'unofficial-post-order/return_oas3.json',
];

interface Exchange {
  method: string;
  url: URL;
  headers: Headers;
  body: string | undefined;
  status: number;
  answer: string;
}

interface Operation {
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content?: Record<string, { schema?: { $ref?: string } }> };
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

interface Contract {
  servers: { variables: { basePath: { default: string } } }[];
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas: Record<string, { properties?: object }> };
}

interface Found {
  file: string;
  operation: Operation;
}

/** eBay's files; a field that they do not name is an error here, on both sides of the wire. */
class Contracts {
  private readonly ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  private readonly contracts = new Map<string, Contract>();
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor() {
    for (const file of FILES) {
      const contract = JSON.parse(readFileSync(join(EBAY, file), 'utf8')) as Contract;
      for (const schema of Object.values(contract.components?.schemas ?? {}))
        if (schema.properties) Object.assign(schema, { additionalProperties: false });
      this.contracts.set(file, contract);
      this.ajv.addSchema(contract, file);
    }
  }

  find(method: string, path: string): Found | undefined {
    for (const [file, { servers, paths }] of this.contracts) {
      const base = servers[0]!.variables.basePath.default;
      if (!path.startsWith(`${base}/`)) continue;
      const given = path.slice(base.length).split('/');
      for (const [template, operations] of Object.entries(paths)) {
        const parts = template.split('/');
        const fits =
          parts.length === given.length &&
          parts.every((part, place) => part.startsWith('{') || part === given[place]);
        const operation = operations[method.toLowerCase()];
        if (fits && operation) return { file, operation };
      }
    }
    return undefined;
  }

  problems(file: string, schema: object, value: unknown): string[] {
    const rooted = JSON.parse(JSON.stringify(schema).replaceAll('"#/', `"${file}#/`)) as object;
    const key = JSON.stringify(rooted);
    const validate = this.compiled.get(key) ?? this.ajv.compile(rooted);
    this.compiled.set(key, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  named(file: string, name: string, value: unknown): string[] {
    return this.problems(file, { $ref: `#/components/schemas/${name}` }, value);
  }
}

function requestProblems(contracts: Contracts, { file, operation }: Found, exchange: Exchange): string[] {
  const { url, headers, body } = exchange;
  const parameters = operation.parameters ?? [];
  // The Post-Order files are hand-written, and name no parameters.
  const known = parameters.filter((each) => each.in === 'query').map(({ name }) => name);
  const unknown = file.startsWith('openapi/')
    ? [...url.searchParams.keys()].filter((name) => !known.includes(name)).map((name) => `query ${name}`)
    : [];
  const missing = parameters
    .filter(({ required, in: place, name }) => required && place === 'header' && !headers.has(name))
    .map(({ name }) => `no header ${name}`);
  const schema = operation.requestBody?.content?.['application/json']?.schema;
  if (!schema) return [...unknown, ...missing];
  return [...unknown, ...missing, ...contracts.problems(file, schema, JSON.parse(body ?? 'null'))];
}

function answerProblems(contracts: Contracts, { file, operation }: Found, exchange: Exchange): string[] {
  const { status, answer } = exchange;
  const documented = operation.responses[String(status)];
  // The hand-written files know one status each, and no body.
  if (!documented) return file.startsWith('openapi/') ? [`status ${status} is not documented`] : [];
  const schema = documented.content?.['application/json']?.schema ?? bulkSchema(operation, status);
  return schema && answer !== '' ? contracts.problems(file, schema, JSON.parse(answer)) : [];
}

/** A 207 has no schema of its own: it has the 200's. */
function bulkSchema({ responses }: Operation, status: number): object | undefined {
  return status === 207 ? responses['200']?.content?.['application/json']?.schema : undefined;
}

/** A session that makes every call the plugin knows, each with what was sent and answered. */
async function everyCall(): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  const recorded: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    exchanges.push({
      method: init!.method!,
      url: input as URL,
      headers: init!.headers as Headers,
      body: init!.body as string | undefined,
      status: response.status,
      answer: await response.clone().text(),
    });
    return response;
  };
  const simulator = await startSimulator({
    webhookSecret: 'contracts-webhook-secret',
    asksForSignatures: true,
  });
  const connect = (extra: object) => connected({ ...simulator.pluginOptions, ...extra }, recorded);
  try {
    const channel = await connect({ cancel: { enabled: true, refund: 'plugin' }, readOffers: 'always' });
    simulator.list(
      ['A', 'B', 'C'].map((channelSku) => ({ channelSku, quantityUnits: 3, barcode: '4006381333931' })),
    );
    const rows = ['A', 'B', 'gone'].map((channelSku, index) => ({
      pushId: `${index}`,
      channelSku,
      quantityUnits: 1,
    }));
    await channel.pushInventory(rows);
    await collect(channel.readInventory({}));
    await collect(channel.readInventory({ channelSkus: ['A', 'gone'] }));
    await orders(simulator, channel);
    await channel.check();
    await subscribe(channel);
    const keyless = { enabled: true };
    await cancelOne(
      await connect({ cancel: { enabled: true }, digitalSignature: keyless }),
      simulator,
      'o-9',
    );
    return exchanges;
  } finally {
    await simulator.close();
  }
}

/** With an endpoint that answers eBay's challenge. */
async function subscribe(channel: Channel): Promise<void> {
  const server = createServer(async ({ url: path = '/' }, response) => {
    const verdict = await channel.verifyWebhook({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });
    response.end(verdict.verdict === 'challenge' ? verdict.body : '');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    await channel.subscribe!(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/ebay`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

async function orders(simulator: Simulator, channel: Channel): Promise<void> {
  const now = () => new Date().toISOString();
  for (const orderId of ['o-1', 'o-2', 'o-3']) place(simulator, orderId);
  simulator.fulfilOrder('o-1', now());
  simulator.returnOrder('o-1', now());
  await cancelOne(channel, simulator, 'o-4');
  await collect(channel.readOrders({ since: new Date(Date.now() - 60_000).toISOString() }));
  await channel.readOrder!('o-1');
  await channel.readOrder!('unknown');
  await channel.verifyWebhook({ method: 'POST', path: '/', ...simulator.webhookFor('o-2') });
}

async function cancelOne(channel: Channel, simulator: Simulator, orderId: string): Promise<void> {
  place(simulator, orderId);
  const lines = [{ lineId: `${orderId}-line`, quantityUnits: 1 }];
  await channel.cancelOrder!({ cancelId: orderId, orderId, lines, reason: 'oversold', message: 'Sorry.' });
}

function place(simulator: Simulator, orderId: string): void {
  const lines = [{ lineId: `${orderId}-line`, channelSku: 'C', quantityUnits: 1 }];
  simulator.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
}

async function connected(options: object, fetch: typeof globalThis.fetch): Promise<Channel> {
  const resolved = resolvePluginOptions(plugin, options);
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const http = createChannelHttp({ limits: plugin.limits(resolved), clock: systemClock, log, fetch });
  return plugin.connect(resolved, {
    channel: 'ebay',
    http,
    log,
    clock: systemClock,
    secrets: memorySecrets(),
  });
}

const isThere = existsSync(join(EBAY, 'openapi'));
if (!isThere) process.stderr.write(`\nSKIPPED: eBay's contracts are not in ${CONTRACTS}; run ${COMMAND}\n`);
const withContracts = isThere ? describe : describe.skip;

withContracts(`eBay's contracts (${COMMAND})`, () => {
  let contracts: Contracts;
  let exchanges: Exchange[];

  beforeAll(async () => {
    contracts = new Contracts();
    exchanges = (await everyCall()).filter(({ url }) => !url.pathname.startsWith('/identity/'));
  }, 60_000);

  const judged = (problemsOf: (found: Found, exchange: Exchange) => string[]) =>
    exchanges.flatMap((exchange) => {
      const { method, url, status } = exchange;
      const found = contracts.find(method, url.pathname);
      const problems = found ? problemsOf(found, exchange) : ['no such operation'];
      return problems.map((problem) => `${method} ${url.pathname} (${status}): ${problem}`);
    });

  it('know every call that the plugin makes, with its query, headers and body', () => {
    const made = new Set(
      exchanges.map(({ method, url }) => `${method} ${url.pathname.replace(/o-\d|[\w-]{30,}/, '*')}`),
    );
    expect(made.size).toBeGreaterThanOrEqual(20);
    expect(judged((found, exchange) => requestProblems(contracts, found, exchange))).toEqual([]);
  });

  it('know every answer that the simulator gives', () => {
    expect(judged((found, exchange) => answerProblems(contracts, found, exchange))).toEqual([]);
  });

  it.each([
    ['sell_fulfillment_v1', 'Order', orderOf({ refunds: [{ refundId: 'r', refundStatus: 'FAILED' }] })],
    ['sell_fulfillment_v1', 'LineItem', lineOf({ legacyVariationId: '510' })],
    ['sell_inventory_v1', 'Offers', offersOf({ offerId: 'o', listingId: 'l' }, { offerId: 'p' })],
    ['sell_inventory_v1', 'Error', ebayError(25025)],
  ])('know the fixtures: %s %s', (file, name, fixture) => {
    expect(contracts.named(`openapi/${file}_oas3.json`, name, fixture)).toEqual([]);
  });
});

interface Vector {
  signature: string;
  message: object;
  response: object | null;
  public_key: string;
}

withContracts(`eBay's signature vectors (${COMMAND})`, () => {
  const vectors = (): Record<string, Vector> =>
    JSON.parse(
      readFileSync(join(EBAY, 'test-vectors/event-notification-signature-vectors.json'), 'utf8'),
    ) as Record<string, Vector>;

  /** The key that the vector says eBay answers for the id in its header. */
  async function verdictOn({ signature, message, response }: Vector) {
    const fetch = async (url: unknown) => {
      if ((url as URL).pathname.includes('/oauth2/token'))
        return Response.json({ access_token: 'app-token', expires_in: 7_200 });
      return response ? Response.json(response) : Response.json({ errors: [] }, { status: 404 });
    };
    const webhook = { verificationToken: 'x'.repeat(40), endpoint: 'https://stock.example/webhooks/ebay' };
    const options = {
      marketplaceId: 'EBAY_US',
      clientId: 'a',
      clientSecret: 'b',
      refreshToken: 'c',
      webhook,
    };
    const channel = await connected(options, fetch as typeof globalThis.fetch);
    const body = Buffer.from(JSON.stringify(message));
    return channel.verifyWebhook({
      method: 'POST',
      path: '/',
      headers: { 'x-ebay-signature': signature },
      body,
    });
  }

  it.each([
    ['VALID', { verdict: 'challenge', status: 200 }],
    ['INVALID', { verdict: 'refused', status: 412 }],
    ['SIGNATURE_MISMATCH', { verdict: 'refused', status: 412 }],
    ['ERROR', { verdict: 'refused', status: 412 }],
  ])('%s is %j', async (name, verdict) => {
    expect(await verdictOn(vectors()[name]!)).toMatchObject(verdict);
  });
});
