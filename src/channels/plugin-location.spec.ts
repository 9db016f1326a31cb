import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '../../test/support/test-server';
import { locatePlugin } from './plugin-location';

describe('a plugin is found', () => {
  let folder: string;

  beforeEach(async () => {
    folder = realpathSync(await temporaryFolder());
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function write(path: string, content: object | string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  }

  const locate = (plugin: string) =>
    locatePlugin(plugin.startsWith('./') ? join(folder, plugin) : plugin, folder);

  test.each([
    ['main', { main: 'dist/shop.js' }],
    ['main without extension', { main: './dist/shop' }],
    ['one text as exports', { exports: './dist/shop.js' }],
    ['exports for import alone', { exports: { types: './dist/shop.d.ts', import: './dist/shop.js' } }],
    ['exports by path', { exports: { '.': './dist/shop.js' } }],
    [
      'exports by path and condition',
      { exports: { '.': { browser: './no.js', node: { import: './dist/shop.js' } } } },
    ],
    [
      'exports for both kinds',
      { exports: { '.': { import: './dist/shop.js', require: './dist/other.js' } } },
    ],
  ])('in a folder with %s', (_, manifest) => {
    write('shop/package.json', { name: 'shop', ...manifest });
    write('shop/dist/shop.js', '');
    write('shop/dist/other.js', '');
    expect(locate('./shop')).toMatchObject({
      file: join(folder, 'shop/dist/shop.js'),
      root: join(folder, 'shop'),
    });
  });

  test('as a package beside the configuration, for import alone too', () => {
    write('node_modules/@acme/shop/package.json', {
      name: '@acme/shop',
      exports: { '.': { import: './shop.mjs' } },
    });
    write('node_modules/@acme/shop/shop.mjs', '');
    const found = locate('@acme/shop');
    expect(found).toMatchObject({ file: join(folder, 'node_modules/@acme/shop/shop.mjs'), isPinned: false });
  });

  test('by its own package above a package.json that only says what kind of modules there are', () => {
    write('shop/package.json', { name: 'shop', main: 'dist/cjs/shop.js' });
    write('shop/dist/cjs/package.json', { type: 'commonjs' });
    write('shop/dist/cjs/shop.js', '');
    expect(locate('./shop').root).toBe(join(folder, 'shop'));
  });

  test('behind a link, where its files are', () => {
    write('real/package.json', { name: 'shop', main: 'shop.js' });
    write('real/shop.js', '');
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(folder, 'real'), join(folder, 'node_modules/shop'));
    expect(locate('shop').root).toBe(join(folder, 'real'));
  });

  test.each([
    ['exports that lead nowhere', { exports: './none.js' }],
    ['exports without an entry', { exports: { './other': './shop.js' } }],
    ['no module', {}],
  ])('and is told to be unbuilt with %s', (_, manifest) => {
    write('shop/package.json', { name: 'shop', ...manifest });
    write('shop/shop.js', '');
    expect(() => locate('./shop')).toThrow(/shop has no module to load; check that it is built/);
  });

  test('or told to be missing, with the command that adds it', () => {
    expect(() => locate('./none.cjs')).toThrow(/none\.cjs cannot be found; check the path/);
    expect(() => locate('@acme/none')).toThrow(`run \`onhand plugins add @acme/none\` in ${folder}`);
  });
});
