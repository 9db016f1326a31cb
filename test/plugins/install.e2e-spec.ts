import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { HostFolder } from '../support/host';
import { onhand, packSample, startRegistry } from '../support/plugin-packages';
import { listingsCsv } from '../support/shop-host';
import { startJsonShop, type JsonShop } from '../sample-plugin/simulator';

// Each test starts several processes, which take their time on a busy machine.
jest.setTimeout(60_000);

const NAME = '@acme/onhand-json-shop';
const PINS = 'onhand.plugins.json';
const SECRETS = { token: 'canary-shop-token', webhookSecret: 'canary-webhook-secret' };

interface Listed {
  name: string;
  version: string | null;
  pinned: string | null;
  integrity: string | null;
  channelApi: string | null;
  channels: string[];
  problem: string | null;
}

/** Steps of one story: each stands on what the one before it left. */
describe('a plugin from outside of this project', () => {
  let database: TestDatabase;
  let shop: JsonShop;
  let project: HostFolder;
  let tarball: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    shop = await startJsonShop(SECRETS);
    shop.stock.set('S-A', 0);
    const options = { url: shop.url, token: SECRETS.token, webhook: { secret: SECRETS.webhookSecret } };
    const listings = listingsCsv([['S-A', 'A', 2]]);
    project = await HostFolder.create(
      { channels: [{ name: 'shop', plugin: NAME, options, listings }] },
      database.url,
    );
    tarball = await packSample(project.folder);
  });

  afterAll(async () => {
    await project.remove();
    await shop.close();
    await database.drop();
  });

  const cli = (...args: string[]) => onhand(['plugins', ...args], { cwd: project.folder });
  const list = async () => JSON.parse((await cli('list', '--json')).out) as Listed[];
  const pin = async () => {
    const { plugins } = JSON.parse(await readFile(join(project.folder, PINS), 'utf8')) as {
      plugins: Record<string, { version: string; source: string; integrity: string; files: string }>;
    };
    return plugins[NAME]!;
  };
  const installed = async () => {
    const [only, ...others] = await readdir(join(project.folder, 'onhand_plugins'));
    expect(others).toEqual([]);
    return join(project.folder, 'onhand_plugins', only!);
  };

  test('that is not there yet is missed by the host and the list, which say how to add it', async () => {
    const [listed] = await list();
    expect(listed).toMatchObject({ name: NAME, pinned: null, channels: ['shop'] });
    expect(listed!.problem).toContain(`run \`onhand plugins add ${NAME}\` in ${project.folder}`);
  });

  test('is added from its packed file and pinned', async () => {
    const { code, out, err } = await cli('add', tarball);
    expect({ code, out }).toEqual({ code: 0, out: `${NAME}@1.0.0\n` });
    expect(err).toMatch(/Added @acme\/onhand-json-shop 1\.0\.0, written for channel API \^1\.0\.0/);
    expect(await pin()).toEqual({
      version: '1.0.0',
      source: 'file:acme-onhand-json-shop-1.0.0.tgz',
      integrity: expect.stringMatching(/^sha512-/) as string,
      files: expect.stringMatching(/^sha512-/) as string,
    });
    expect(await list()).toEqual([
      {
        name: NAME,
        version: '1.0.0',
        pinned: '1.0.0',
        source: 'file:acme-onhand-json-shop-1.0.0.tgz',
        integrity: 'ok',
        channelApi: '^1.0.0',
        channels: ['shop'],
        problem: null,
      },
    ]);
  });

  test('keeps the shop in step with the ledger', async () => {
    const host = await project.start();
    expect(host.output()).toMatch(/shop: json-shop 1\.0\.0, live, pinned/);
    const { body: channels } = await host.api.get<{ items: object[] }>('/v1/channels');
    expect(channels.items).toMatchObject([{ name: 'shop', pluginVersion: '1.0.0', pinned: true }]);
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 21 });
    await eventually(() => expect(shop.stock.get('S-A')).toBe(10));

    shop.order('O-1', 'S-A', 3);
    const { headers, body } = shop.webhook('O-1');
    const deliver = (sent: Record<string, string>) =>
      host.api.withKey(undefined).send('POST', '/webhooks/shop', { headers: sent, body });
    expect((await deliver({ ...headers, 'x-json-shop-signature': 'bm90IGl0' })).status).toBe(401);
    expect((await deliver(headers)).status).toBe(200);
    await eventually(async () => {
      const { body: stock } = await host.api.get<{ total: object }>('/v1/stock/A');
      expect(stock.total).toMatchObject({ available: 15, reserved: 6 });
      expect(shop.stock.get('S-A')).toBe(7);
    });

    // Somebody changes the shop's figure by hand: the read-back finds it, and the push puts it right.
    shop.stock.set('S-A', 99);
    await host.api.post('/v1/channels/shop/reconcile');
    await eventually(() => expect(shop.stock.get('S-A')).toBe(7));
    for (const secret of Object.values(SECRETS)) expect(host.output()).not.toContain(secret);
    await host.kill('SIGTERM');
  });

  test('is refused by the host once one of its files was changed, and put back by install', async () => {
    await appendFile(join(await installed(), 'dist/orders.js'), '\n// changed\n');
    await expect(project.start()).rejects.toThrow(
      /ended with 2 instead[^]*the files of @acme\/onhand-json-shop 1\.0\.0 in [^]* are not those that were pinned\. `onhand plugins install` puts back/,
    );
    const changed = await cli('list');
    expect(changed.code).toBe(1);
    expect(changed.out).toMatch(/ differs [^]*PROBLEM: the files of/);

    expect(await cli('install')).toMatchObject({ code: 0, out: `Installed ${NAME}.\n` });
    expect(await cli('install')).toMatchObject({ code: 0, out: 'Every pinned plugin is installed.\n' });
    const host = await project.start();
    await host.kill('SIGTERM');
  });

  test('is refused with a file more, and with one less', async () => {
    const added = join(await installed(), 'dist/added.js');
    await writeFile(added, '');
    await expect(project.start()).rejects.toThrow(/ended with 2/);
    await rm(added);
    await rm(join(await installed(), 'dist/simulator.js'));
    await expect(project.start()).rejects.toThrow(/ended with 2/);
    await cli('install');
  });

  test('is refused in another version than the pinned one, and where it is missing', async () => {
    const manifest = join(await installed(), 'package.json');
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace('1.0.0', '1.0.1'));
    await expect(project.start()).rejects.toThrow(/is pinned at 1\.0\.0, but [^]* holds 1\.0\.1/);
    await rm(join(project.folder, 'onhand_plugins'), { recursive: true });
    await expect(project.start()).rejects.toThrow(/not installed in [^]*run `onhand plugins install`/);
    expect(await cli('install')).toMatchObject({ code: 0 });
  });

  test('is not put back from a package that is another one', async () => {
    const original = await readFile(tarball);
    await rm(join(project.folder, 'onhand_plugins'), { recursive: true });
    await writeFile(tarball, Buffer.concat([original, Buffer.from([0])]));
    const { code, err } = await cli('install');
    expect(code).toBe(1);
    expect(err).toMatch(/is not what was pinned \(sha512-/);
    await writeFile(tarball, original);
    expect(await cli('install')).toMatchObject({ code: 0 });
  });

  test('is added from a registry in the newest version of a range', async () => {
    const registry = await startRegistry({ [NAME]: { version: '1.0.0', file: tarball } });
    try {
      const env = { npm_config_registry: registry.url };
      const before = await pin();
      await cli('remove', NAME, '--force');
      const added = await onhand(['plugins', 'add', `${NAME}@^1.0.0`], { cwd: project.folder, env });
      expect(added).toMatchObject({ code: 0, out: `${NAME}@1.0.0\n` });
      expect(await pin()).toEqual({ ...before, source: 'npm' });
      await rm(join(project.folder, 'onhand_plugins'), { recursive: true });
      const put = await onhand(['plugins', 'install'], { cwd: project.folder, env });
      expect(put).toMatchObject({ code: 0, out: `Installed ${NAME}.\n` });
    } finally {
      await registry.close();
    }
  });

  test('is not removed while a channel needs it, unless that is wanted', async () => {
    const refused = await cli('remove', NAME);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(`${NAME} serves shop.`);
    expect(await list()).toMatchObject([{ integrity: 'ok' }]);

    expect(await cli('remove', NAME, '--force')).toMatchObject({ code: 0 });
    expect(await readdir(project.folder)).not.toEqual(expect.arrayContaining([PINS]));
    expect(await readdir(project.folder)).not.toEqual(expect.arrayContaining(['onhand_plugins']));
    const host = await project.start();
    expect(host.output()).toMatch(/shop is not served: the plugin @acme\/onhand-json-shop cannot be found/);
    await host.kill('SIGTERM');
    expect((await cli('remove', NAME)).err).toContain('is not one of the plugins added here');
  });
});
