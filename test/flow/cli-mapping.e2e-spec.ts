import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { addListingCommands } from '../../src/cli/listings';
import { addSkuCommands } from '../../src/cli/skus';
import { addStockCommands } from '../../src/cli/stock';
import { ADMIN_KEY } from '../support/host';
import { type ShopHost, startShopHost } from '../support/shop-host';

/** The commands themselves, against a host over HTTP. */
describe('on the command line', () => {
  let host: ShopHost;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onhand-cli-'));
    host = await startShopHost({ shop: { mode: 'observe' } });
    await host.api.post('/v1/skus', [{ sku: 'A' }, { sku: 'B' }, { sku: 'POT' }]);
  });

  afterEach(() => {
    process.exitCode = undefined;
  });

  afterAll(async () => {
    await host.close();
    await rm(folder, { recursive: true });
  });

  async function onhand(
    ...words: string[]
  ): Promise<{ out: string; news: string; code: typeof process.exitCode }> {
    const said = { out: [] as string[], news: [] as string[] };
    const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void said.out.push(text));
    const error = jest
      .spyOn(console, 'error')
      .mockImplementation((text: string) => void said.news.push(text));
    try {
      const program = new Command('onhand').exitOverride();
      addListingCommands(program);
      addSkuCommands(program);
      addStockCommands(program);
      const [first = '', ...rest] = words;
      const own = ['--url', host.url, '--api-key', ADMIN_KEY];
      const command = words.includes('--') ? [first, rest[0]!, ...own, ...rest.slice(1)] : [...words, ...own];
      await program.parseAsync(command, { from: 'user' });
      return { out: said.out.join('\n'), news: said.news.join('\n'), code: process.exitCode };
    } finally {
      process.exitCode = undefined;
      log.mockRestore();
      error.mockRestore();
    }
  }

  async function file(csv: string): Promise<string> {
    const path = join(folder, 'listings.csv');
    await writeFile(path, csv);
    return path;
  }

  const listings = (...words: string[]) => onhand('listings', ...words, '--channel', 'shop');

  test('listings are imported, refused row by row, and imported without those that are wrong', async () => {
    const path = await file('channel_sku,sku,units,cap\nS-1,A,1,\nS-SET,A,2,9\nS-SET,B,1,\nS-2,NONE,1,\n');
    const refused = await listings('import', path);
    expect(refused.out).toBe(
      'line 5: refused S-2: no SKU "NONE"; create it with POST /v1/skus first\n' +
        'NOTHING was imported: 1 refused, 3 skipped.',
    );
    expect(refused.code).toBe(1);
    expect((await listings('import', path, '--dry-run', '--create-skus')).out).toBe(
      'Would be: 4 created.\nNew SKUs: 1.',
    );
    expect((await listings('list')).out).toBe('No listings.');
    const partial = await listings('import', path, '--partial');
    expect(partial.out).toMatch(/Imported: 3 created, 1 refused\.$/);
    expect(partial.code).toBe(1);
    const again = await listings('import', path, '--partial', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ applied: true, counts: { unchanged: 3, refused: 1 } });
    expect((await listings('list')).out.split('\n')).toEqual([
      'channel SKU  made of    should show  cap  buffer  origin',
      'S-1          A                    0               api',
      'S-SET        2 × A + B            0    9          api',
    ]);
    expect((await listings('list', '--sku', 'B')).out.split('\n')).toEqual([
      expect.stringMatching(/^channel SKU/),
      expect.stringMatching(/^S-SET/),
    ]);
  });

  test('a file that is none, and a host that refuses, end with the reason and code 1', async () => {
    for (const words of [
      ['import', join(folder, 'none.csv')],
      ['import', await file('sku\nA\n')],
    ]) {
      const { out, news, code } = await listings(...words);
      expect({ out, code }).toEqual({ out: '', code: 1 });
      expect(news).toMatch(/no such file|channel_sku is missing/);
    }
    expect((await onhand('listings', 'list', '--channel', 'none')).news).toMatch(/no channel "none"/);
  });

  test('what nobody mapped is told, proposed, confirmed, dismissed and ignored', async () => {
    host.shop.list([
      { channelSku: 'pot', quantityUnits: 0, title: 'A pot' },
      { channelSku: 'a', quantityUnits: 0 },
      { channelSku: 'GIFT CARD', quantityUnits: 0 },
    ]);
    const { out, news } = await listings('suggest');
    expect(news).toMatch(/^Read 3; 3 unmapped, 2 proposals, 1 of them ambiguous\./);
    const rows = out.split('\n').slice(1);
    expect(rows.map((line) => line.replace(/^ *\d+ {2}/, '').replace(/ {2,}/g, '  ')).sort()).toEqual([
      'a  a  A  80  similar-sku  A is or may be S-1, S-SET as well',
      'pot  A pot  POT  80  similar-sku',
    ]);
    const ids = Object.fromEntries(rows.map((line) => line.trim().split(/ +/).slice(0, 2).reverse()));
    expect((await listings('confirm', ids.pot!)).out).toBe(`${ids.pot}  mapped  pot → POT`);
    expect((await listings('dismiss', ids.a!)).out).toBe(`${ids.a}  dismissed  a → A`);
    const late = await listings('confirm', ids.pot!);
    expect(late.out).toMatch(/refused: there is no such suggestion any more/);
    expect(late.code).toBe(1);
    expect((await listings('confirm', 'seven')).news).toMatch(
      /Expected the number of a proposal, not "seven"/,
    );
    const ignored = await listings('ignore', 'GIFT CARD', 'NONE');
    expect(ignored).toMatchObject({ out: 'Ignored 1.', news: 'Not in the list: NONE' });
    expect((await listings('unmapped')).out).toMatch(/\na +a? +read +\d{4}-/);
  });

  test('a SKU is renamed, and refused a code that another has', async () => {
    expect((await onhand('skus', 'rename', 'A', 'A/2')).out).toBe(
      'A is called A/2 now; A goes on meaning it.',
    );
    expect((await listings('list')).out).toMatch(/\nS-1 +A\/2 /);
    const taken = await onhand('skus', 'rename', 'A/2', 'B');
    expect(taken.news).toMatch(/there is another SKU "B"/);
    expect(taken.code).toBe(1);
    expect((await onhand('skus', 'rename', 'B', 'A')).news).toMatch(/"A" is a former code of the SKU "A\/2"/);
    expect((await onhand('skus', 'rename', 'NONE', 'X')).news).toMatch(/no SKU "NONE"/);
  });

  test('stock is posted, reserved under a key, shipped and explained', async () => {
    expect((await onhand('skus', 'set', 'CUP', '--name', 'A cup', '--tag', 'kitchen')).out).toMatch(
      /\nCUP +A cup +each +kitchen$/,
    );
    const restock = ['events', 'post', 'restock', 'CUP', '10', '--idempotency-key', 'in-1'];
    expect((await onhand(...restock)).out).toBe('RESTOCK 10 of CUP: 10 available at main.');
    expect((await onhand(...restock)).out).toMatch(/\(known already\): 10 available/);
    expect((await onhand('events', 'post', '--reason', 'broken', '--', 'ADJUST', 'CUP', '-2')).out).toMatch(
      /8 available at main/,
    );
    const reserve = ['reserve', 'CUP=3', '--reference', 'till 4', '--idempotency-key', 'order-1', '--json'];
    const made = JSON.parse((await onhand(...reserve)).out) as { id: string; state: string };
    expect(JSON.parse((await onhand(...reserve)).out)).toEqual(made);
    const short = await onhand('reserve', 'CUP=6');
    expect(short.news).toMatch(/not enough stock/);
    expect(short.code).toBe(1);
    expect((await onhand('stock', 'CUP')).out.split('\n')[1]).toMatch(/^CUP +main +8 +5 +3 +0/);
    expect((await onhand('reservations', 'fulfil', made.id)).out).toMatch(/for till 4 is \w+\./);
    const events = (await onhand('events', 'list', 'CUP')).out.split('\n').slice(1);
    expect(events.map((line) => line.trim().split(/ +/)[2])).toEqual([
      'FULFILL',
      'RESERVE',
      'ADJUST',
      'RESTOCK',
    ]);
    const all = JSON.parse((await onhand('stock', '--search', 'cup', '--json')).out) as { sku: string }[];
    expect(all.map(({ sku }) => sku)).toEqual(['CUP']);
  });
});
