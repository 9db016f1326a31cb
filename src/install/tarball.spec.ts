import { gzipSync } from 'node:zlib';
import { PluginInstallError } from './install.errors';
import { integrityOf, readTarball } from './tarball';

interface Entry {
  path: string;
  content?: string;
  type?: string;
  prefix?: string;
}

/** A ustar archive, by the standard and not by the code under test. */
function archive(...entries: Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = '', type = '0', prefix = '' }) => {
    const header = Buffer.alloc(512);
    const body = Buffer.from(content);
    header.write(path, 0, 100);
    header.write(body.length.toString(8).padStart(11, '0'), 124);
    header.write(' '.repeat(8), 148);
    header.write(type, 156);
    header.write('ustar\0' + '00', 257);
    header.write(prefix, 345, 155);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const manifest: Entry = { path: 'package/package.json', content: '{}' };
const read = (...entries: Entry[]) =>
  Object.fromEntries(
    [...readTarball(gzipSync(archive(manifest, ...entries)))].map(([path, content]) => [
      path,
      content.toString(),
    ]),
  );

const changed = archive(manifest);
changed[0]! ^= 1;

/** A record of pax counts its own length in. */
function paxPath(path: string): string {
  const rest = ` path=${path}\n`;
  const digits = String(rest.length + String(rest.length + 2).length).length;
  return `${rest.length + digits}${rest}`;
}

describe('a packed plugin', () => {
  test('gives its files by their path within the package', () => {
    expect(read({ path: 'package/dist/a.js', content: 'a' }, { path: 'package/empty.js' })).toEqual({
      'package.json': '{}',
      'dist/a.js': 'a',
      'empty.js': '',
    });
  });

  test('may call its folder as it likes', () => {
    expect(read({ path: 'shop-1.0.0/index.js', content: 'x' })).toMatchObject({ 'index.js': 'x' });
  });

  test('gives long paths, however they are written', () => {
    const long = `${'deep/'.repeat(40)}a.js`;
    expect(read({ path: 'a.js', prefix: 'package/far', content: 'p' })).toMatchObject({ 'far/a.js': 'p' });
    const pax = { path: 'PaxHeader', type: 'x', content: paxPath(`package/${long}`) };
    expect(read(pax, { path: 'package/cut', content: 'x' })).toEqual({ 'package.json': '{}', [long]: 'x' });
    const gnu = { path: '././@LongLink', type: 'L', content: `package/${long}\0` };
    expect(read(gnu, { path: 'package/cut', content: 'x' })).toEqual({ 'package.json': '{}', [long]: 'x' });
  });

  test('gives no links, no folders, and nothing that would change how npm installs', () => {
    const left = ['.npmrc', 'package-lock.json', 'npm-shrinkwrap.json'].map((name) => ({
      path: `package/${name}`,
    }));
    expect(
      read(
        { path: 'package/link', type: '2' },
        { path: 'package/hard', type: '1' },
        { path: 'package/dist/', type: '5' },
        ...left,
      ),
    ).toEqual({ 'package.json': '{}' });
  });

  test.each([
    'package/../../outside.js',
    '../outside.js',
    'package/a/../../../b',
    '/etc/passwd',
    'package\\..\\..\\outside.js',
    'package/a\\..\\b.js',
  ])('with the path %j is refused', (path) => {
    expect(() => read({ path })).toThrow(/leads out of it/);
  });

  test.each([
    ['no gzip', Buffer.from('hello'), /not gzip/],
    ['gzip of something else', gzipSync('hello'.repeat(500)), /damaged header/],
    ['a changed header', gzipSync(changed), /no tar archive/],
    ['no package.json', gzipSync(archive({ path: 'package/a.js' })), /holds no package\.json/],
    ['nothing', gzipSync(archive()), /holds no package\.json/],
    [
      'an end too soon',
      gzipSync(archive({ ...manifest, content: 'x'.repeat(2_000) }).subarray(0, 1_024)),
      /cut off/,
    ],
  ])('of %s is refused', (_, tarball, says) => {
    expect(() => readTarball(tarball)).toThrow(PluginInstallError);
    expect(() => readTarball(tarball)).toThrow(says);
  });

  test('has the integrity that npm computes', () => {
    // `printf hello | openssl dgst -sha512 -binary | base64 -w0`
    expect(integrityOf(Buffer.from('hello'))).toBe(
      'sha512-m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==',
    );
  });
});
