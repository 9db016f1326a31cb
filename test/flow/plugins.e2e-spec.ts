import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import { CHANNEL_API_VERSION, type ChannelSimulator } from '../../src/channel-api';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_PACKAGE, HostFolder, type SpawnedHost } from '../support/host';
import type { ProblemAnswer } from '../support/host-client';
import { deliver, listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

/** The least that a plugin is, in plain JavaScript, as somebody outside of this project may write it. */
const plugin = (fields: Record<string, string>) => `({
  ${Object.entries({
    name: "'own'",
    version: "'1.2.3'",
    channelApi: "'^1.0.0'",
    options: 'class {}',
    secrets: '() => []',
    limits: '() => []',
    capabilities:
      "() => ({ pushBatchSize: 10, pushAnswers: 'applied', compareAndSet: false, stockByLocation: false, readsOrders: false, cancelsOrders: false, subscribesWebhooks: false })",
    connect: `() => ({
      pushInventory: async (updates) => updates.map(({ pushId }) => ({ pushId, outcome: 'applied' })),
      readInventory: async function* () {},
      readOrders: async function* () {},
      verifyWebhook: () => ({ verdict: 'refused', status: 412, reason: 'not today' }),
      translateWebhook: () => [],
      check: async () => ({ ok: true, findings: [] }),
    })`,
    ...fields,
  })
    .map(([name, value]) => `${name}: ${value}`)
    .join(',\n  ')}
})`;

/** With nested options, by copies of the decorators' libraries that the plugin brings itself. */
const NESTED = `
  class Inner {}
  IsString()(Inner.prototype, 'word');
  class Options {}
  Type(() => Inner)(Options.prototype, 'inner');
  ValidateNested()(Options.prototype, 'inner');`;
const COPIES = ['class-validator', 'class-transformer'];

const FILES: Record<string, string> = {
  'copies/package.json': '{ "name": "copies", "version": "1.0.0" }',
  'copies/shop.cjs': `
    const { IsString, ValidateNested } = require('class-validator');
    const { Type } = require('class-transformer');
    const { defineChannelPlugin } = require('onhand/channel-api');
    ${NESTED}
    exports.default = defineChannelPlugin${plugin({ options: 'Options' })};`,
  'copies/shop.mjs': `
    import { IsString, ValidateNested } from 'class-validator';
    import { Type } from 'class-transformer';
    import { defineChannelPlugin } from 'onhand/channel-api';
    ${NESTED}
    export default defineChannelPlugin${plugin({ options: 'Options' })};`,
  'never-loads.mjs': 'await new Promise(() => {});',
  'never-connects.cjs': `module.exports = ${plugin({ connect: '() => new Promise(() => {})' })};`,
  'throws-oddly.cjs': `module.exports = ${plugin({ connect: "() => { throw { reason: 'odd' }; }" })};`,
  'connects-nothing.cjs': `module.exports = ${plugin({ connect: 'async () => null' })};`,
  'own.mjs': `export default ${plugin({})};`,
  'own.cjs': `module.exports = { default: ${plugin({ name: "'own-cjs'" })} };`,
  'throws.cjs': "throw new Error('no good today');",
  'syntax.cjs': 'module.exports = {{{',
  'empty.cjs': 'module.exports = {};',
  'no-connect.cjs': `module.exports = ${plugin({ connect: 'undefined' })};`,
  'from-the-future.cjs': `module.exports = ${plugin({ channelApi: "'^2.0.0'" })};`,
  'nonsense-range.cjs': `module.exports = ${plugin({ channelApi: "'soon'" })};`,
  'cannot-connect.cjs': `module.exports = ${plugin({ connect: "async () => { throw new Error('the shop is closed'); }" })};`,
  'bad-limits.cjs': `module.exports = ${plugin({ limits: "() => [{ name: 'x', perSecond: 0, burst: 0 }]" })};`,
};

/** Channels that cannot be served, with what `GET /v1/channels` says of each. */
const FAILED: { name: string; plugin: string; options?: Record<string, unknown>; says: RegExp }[] = [
  {
    name: 'missing-package',
    plugin: '@nobody/nothing',
    says: /@nobody\/nothing cannot be found; run `onhand plugins add @nobody\/nothing`/,
  },
  { name: 'missing-file', plugin: './nothing.cjs', says: /nothing\.cjs cannot be found; check the path/ },
  { name: 'throws', plugin: './throws.cjs', says: /throws when loaded: no good today/ },
  { name: 'syntax', plugin: './syntax.cjs', says: /throws when loaded/ },
  {
    name: 'empty',
    plugin: './empty.cjs',
    says: /is no channel plugin: its default export lacks name, version, channelApi/,
  },
  { name: 'no-connect', plugin: './no-connect.cjs', says: /lacks connect/ },
  {
    name: 'future',
    plugin: './from-the-future.cjs',
    says: new RegExp(`channel API \\^2\\.0\\.0, this host has ${CHANNEL_API_VERSION}`),
  },
  { name: 'range', plugin: './nonsense-range.cjs', says: /channel API soon/ },
  { name: 'cannot-connect', plugin: './cannot-connect.cjs', says: /the shop is closed/ },
  { name: 'never-loads', plugin: './never-loads.mjs', says: /does not finish loading within 10 seconds/ },
  {
    name: 'never-connects',
    plugin: './never-connects.cjs',
    says: /the plugin own does not connect within 10 seconds/,
  },
  {
    name: 'throws-oddly',
    plugin: './throws-oddly.cjs',
    says: /it threw \{"reason":"odd"\} instead of an error/,
  },
  {
    name: 'connects-nothing',
    plugin: './connects-nothing.cjs',
    says: /connects a channel without pushInventory/,
  },
  ...['cjs', 'mjs'].map((kind) => ({
    name: `copies-${kind}`,
    plugin: `./copies/shop.${kind}`,
    options: { inner: { word: 5 } },
    says: /inner\.word: word must be a string/,
  })),
  { name: 'bad-limits', plugin: './bad-limits.cjs', says: /limit/ },
  { name: 'strange-options', plugin: './own.cjs', options: { colour: 'red' }, says: /colour/ },
  { name: 'no-options', plugin: GENERIC_REST_PACKAGE, says: /baseUrl/ },
  {
    name: 'wrong-options',
    plugin: GENERIC_REST_PACKAGE,
    options: { baseUrl: 'http://127.0.0.1:9', webhook: { secret: 'long-enough' }, colour: 'red' },
    says: /colour/,
  },
];

interface Status {
  items: {
    name: string;
    state: string;
    error?: string;
    listings: number;
    dirty: number;
    inbox: { received: number };
  }[];
}

describe('a host with plugins that cannot be served', () => {
  let database: TestDatabase;
  let shop: ChannelSimulator;
  let folder: HostFolder;
  let host: SpawnedHost;

  beforeAll(async () => {
    database = await createTestDatabase();
    shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
    shop.list([{ channelSku: 'S-A', quantityUnits: 0 }]);
    const listings = listingsCsv([['S-A', 'A', 1]]);
    folder = await HostFolder.create(
      {
        channels: [
          ...FAILED.map(({ name, plugin: named, options }) => ({
            name,
            plugin: named,
            options: options ?? {},
            listings,
          })),
          { name: 'shop', plugin: GENERIC_REST_PACKAGE, options: shop.pluginOptions, listings },
          { name: 'own', plugin: './own.mjs', listings },
          ...['cjs', 'mjs'].map((kind) => ({
            name: `served-copies-${kind}`,
            plugin: `./copies/shop.${kind}`,
            options: { inner: { word: 'right' } },
          })),
          { name: 'own-cjs', plugin: './own.cjs', listings: 'channel_sku,sku\nno-such-column' },
        ],
      },
      database.url,
    );
    for (const [name, text] of Object.entries(FILES)) await folder.write(name, text);
    for (const library of COPIES) {
      const copy = join(folder.folder, 'copies/node_modules', library);
      await cp(join(__dirname, '../../node_modules', library), copy, { recursive: true });
    }
    host = await folder.start();
    // Ten of these seconds are the host's, which waits for those that never load and never connect.
  }, 60_000);

  afterAll(async () => {
    await folder.remove();
    await shop.close();
    await database.drop();
  });

  const statusOf = async (name: string) =>
    (await host.api.get<Status>('/v1/channels')).body.items.find((channel) => channel.name === name)!;

  test.each(FAILED)('$name is told with what is wrong and what to do', async ({ name, says }) => {
    expect(await statusOf(name)).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(says) as string,
    });
    expect(host.output()).toMatch(new RegExp(`${name} is not served: `));
  });

  test('the others are served, written as modules of either kind', async () => {
    for (const name of ['shop', 'own', 'own-cjs', 'served-copies-cjs', 'served-copies-mjs'])
      expect(await statusOf(name)).toMatchObject({ state: 'ready' });
    expect(host.output()).toMatch(/own: own 1\.2\.3, live, not pinned/);
  });

  test('orders and pushes of the others go on', async () => {
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 9 });
    shop.placeOrder({
      orderId: 'O',
      placedAt: '2024-05-01T10:00:00Z',
      lines: [{ lineId: 'L', channelSku: 'S-A', quantityUnits: 2 }],
    });
    expect((await deliver(host, shop.webhookFor('O'))).status).toBe(200);
    await eventually(async () => {
      expect(shop.shown().get('S-A')).toBe(7);
      const pushed = await host.api.get('/v1/channels/own/listings');
      expect(pushed.body).toMatchObject({ items: [{ quantity: 7, pushed: 7, dirty: false }] });
    });
  });

  test('what changed for a channel that is not served waits for it', async () => {
    expect(await statusOf('cannot-connect')).toMatchObject({ listings: 1, dirty: 1 });
  });

  test('its webhooks are to come again, and its comparison says why not', async () => {
    const { status, headers, body } = await deliver(host, shop.webhookFor('O'), 'throws');
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('5');
    expect(body).toMatchObject({ code: 'channel-not-served' });
    expect(JSON.stringify(body)).not.toContain('no good today');
    const compared = await host.api.post<ProblemAnswer>('/v1/channels/throws/reconcile');
    expect(compared).toMatchObject({ status: 503, body: { code: 'channel-not-served' } });
    expect(compared.body.detail).toContain('no good today');
  });

  test('a plugin may refuse a webhook for its signature with 412', async () => {
    const answer = await deliver(host, shop.webhookFor('O'), 'own');
    expect(answer).toMatchObject({ status: 412, body: { code: 'signature-mismatch', detail: 'not today' } });
  });

  test('listings that cannot be read leave those that were there, and say which line is at fault', async () => {
    expect(await statusOf('own-cjs')).toMatchObject({ state: 'ready', listings: 0 });
    expect(host.output()).toMatch(/own-cjs: listings stay as they were: .*line 2/s);
  });
});
