import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_PACKAGE, HostFolder } from '../support/host';
import type { ProblemAnswer } from '../support/host-client';
import { listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

let database: TestDatabase;
let shop: ChannelSimulator;
const folders: HostFolder[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
  shop.list([{ channelSku: 'S-A', quantityUnits: 0 }]);
});

afterAll(async () => {
  await Promise.all(folders.map((folder) => folder.remove()));
  await shop.close();
  await database.drop();
});

/** A host whose shop is at `localhost` on this machine. */
async function startWith(allow: string[]) {
  const options = { ...shop.pluginOptions, baseUrl: shop.url.replace('127.0.0.1', 'localhost') };
  const listings = listingsCsv([['S-A', 'A', 1]]);
  const channels = [{ name: 'shop', plugin: GENERIC_REST_PACKAGE, options, listings }];
  const folder = await HostFolder.create({ channels, outbound: { allow } }, database.url);
  folders.push(folder);
  return folder.start({ logLevel: 'info' });
}

test('a shop inside the network is not called before the configuration names it', async () => {
  const { port } = new URL(shop.url);
  const guarded = await startWith([]);
  await guarded.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 7 });
  const remedy = `which localhost stands for, is a loopback address, and plugins reach public addresses only; where this is the channel, add "localhost:${port}" to outbound.allow in onhand.yaml`;
  await eventually(async () => {
    const { body } = await guarded.api.get<{ items: object[] }>('/v1/channels');
    expect(body.items).toMatchObject([
      {
        name: 'shop',
        state: 'ready',
        parkedListings: 0,
        lastError: expect.stringContaining(remedy) as string,
      },
    ]);
  });
  expect(guarded.output().replaceAll('\\"', '"')).toContain(remedy);
  const compared = await guarded.api.post<ProblemAnswer>('/v1/channels/shop/reconcile');
  expect(compared).toMatchObject({ status: 502, body: { code: 'channel-address' } });
  expect(compared.body.detail).toContain(remedy);
  expect(shop.calls).toEqual([]);
  await guarded.kill('SIGTERM');

  const named = await startWith([`localhost:${port}`]);
  await eventually(() => expect(shop.shown().get('S-A')).toBe(7));
  await eventually(async () => {
    const { body } = await named.api.get<{ items: object[] }>('/v1/channels');
    expect(body.items).toMatchObject([{ dirty: 0, lastError: null }]);
  });
});
