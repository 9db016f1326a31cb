import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nock from 'nock';
import { type ShopifySimulator, startSimulator } from '../../plugins/shopify/simulator';
import { record, type Recording, replay, requireVariables } from './recording';
import { shopifyRecording } from './shopify-recording';

const RECORDINGS: [string, Recording][] = [['shopify', shopifyRecording as unknown as Recording]];

describe('a recording of the simulated shop', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recording-'));
  const file = join(folder, 'shopify', 'today.json');
  const recording = shopifyRecording as unknown as Recording;
  let shop: ShopifySimulator;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    shop = await startSimulator({ webhookSecret: 'a-client-secret', auth: 'client-credentials' });
    shop.list([{ channelSku: 'A-1', quantityUnits: 4 }]);
    const { clientId } = shop.pluginOptions.auth as { clientId: string };
    env = {
      SHOPIFY_RECORD_SHOP: shop.pluginOptions.shop as string,
      SHOPIFY_RECORD_CLIENT_ID: clientId,
      SHOPIFY_RECORD_CLIENT_SECRET: 'a-client-secret',
      SHOPIFY_RECORD_SKU: 'A-1',
      SHOPIFY_RECORD_ENDPOINT: shop.url,
    };
    await record(recording, env, file);
  });

  afterAll(async () => {
    await shop.close();
    nock.restore();
    rmSync(folder, { recursive: true });
  });

  test('changes nothing there, and has no secret and no name of the shop in it', () => {
    expect(shop.shown().get('A-1')).toBe(4);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('inventorySetQuantities');
    expect(text).toContain('CHANGE_FROM_QUANTITY_STALE');
    for (const secret of ['a-client-secret', 'shpat_', env.SHOPIFY_RECORD_SHOP!, 'A-1'])
      expect(text).not.toContain(secret);
  });

  test('is played again without the shop, call by call', async () => {
    nock.disableNetConnect();
    try {
      const more = { SHOPIFY_RECORD_ENDPOINT: shop.url };
      expect(await replay(recording, file, more)).toEqual(recording.steps.map(({ name }) => name));
    } finally {
      nock.enableNetConnect();
    }
  });

  test('is not begun without its variables, each of which is named', () => {
    expect(() => requireVariables(recording, { ...env, SHOPIFY_RECORD_SKU: '' })).toThrow(
      /SHOPIFY_RECORD_SKU: a SKU/,
    );
  });
});

describe.each(RECORDINGS)('what was recorded of %s', (name, recording) => {
  const folder = join(__dirname, `../../plugins/${name}/recordings`);
  const files = existsSync(folder) ? readdirSync(folder).filter((each) => each.endsWith('.json')) : [];
  const run =
    files.length > 0 ? test.each(files) : test.skip.each([`none yet: npm run contracts:record -- ${name}`]);

  run('is understood: %s', async (file) => {
    expect(await replay(recording, join(folder, file))).not.toEqual([]);
  });
});
