import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PluginInstallError } from './install.errors';

const BLOCK = 512;
const LARGEST_BYTES = 256 * 1024 * 1024;

/** npm's own files are not taken from a package: they would change how its dependencies are installed. */
const LEFT_OUT = ['.npmrc', 'npm-shrinkwrap.json', 'package-lock.json'];

/** As npm writes it into its lock. */
export function integrityOf(tarball: Buffer): string {
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
}

/**
 * The files of a package as `npm pack` makes it, by their path within the package. Links are left out, as npm
 * does. Throws `PluginInstallError` for what is no such package, or holds a path that leads out of it.
 */
export function readTarball(tarball: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const { path, content } of entriesOf(unzipped(tarball))) {
    const normal = posix.normalize(path);
    if (/^\.{0,2}\/|^\.\.$|\\|\0/.test(normal))
      throw notPacked(`it holds the path ${JSON.stringify(path)}, which leads out of it`);
    // The first folder is `package` by custom, and left away whatever it is called.
    const [, ...parts] = normal.split('/');
    if (parts.length === 0) continue;
    if (!LEFT_OUT.includes(parts.join('/'))) files.set(parts.join('/'), content);
  }
  if (!files.has('package.json')) throw notPacked('it holds no package.json');
  return files;
}

function unzipped(tarball: Buffer): Buffer {
  try {
    return gunzipSync(tarball, { maxOutputLength: LARGEST_BYTES });
  } catch {
    throw notPacked(`it is not gzip, or more than ${LARGEST_BYTES / 1024 / 1024} MB`);
  }
}

/** Regular files of a ustar archive, with the long names of pax and GNU. */
function* entriesOf(archive: Buffer): Generator<{ path: string; content: Buffer }> {
  let longPath: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    requireChecksum(header);
    const size = octal(header, 124, 12);
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (content.length !== size) throw notPacked('it is cut off');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === 'x') longPath = paxPath(content) ?? longPath;
    else if (type === 'L') longPath = text(content, 0, content.length);
    else {
      if (type === '0' || type === '\0') yield { path: longPath ?? shortPath(header), content };
      longPath = undefined;
    }
  }
}

function shortPath(header: Buffer): string {
  const name = text(header, 0, 100);
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Records are `length key=value\n`, the length counting itself. */
function paxPath(content: Buffer): string | undefined {
  for (let at = 0; at < content.length;) {
    const length = parseInt(content.toString('utf8', at, at + 20), 10);
    if (!(length > 0)) throw notPacked('it has a damaged header');
    const record = content.toString('utf8', at, at + length - 1);
    const [, key, value] = /^\d+ ([^=]+)=(.*)$/s.exec(record) ?? [];
    if (key === 'path') return value;
    at += length;
  }
  return undefined;
}

function requireChecksum(header: Buffer): void {
  // The checksum counts its own field as blanks.
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (sum !== octal(header, 148, 8)) throw notPacked('it is no tar archive');
}

function octal(header: Buffer, at: number, length: number): number {
  const value = parseInt(text(header, at, length).trim() || '0', 8);
  if (Number.isSafeInteger(value)) return value;
  throw notPacked('it has a damaged header');
}

function text(buffer: Buffer, at: number, length: number): string {
  const field = buffer.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

function notPacked(why: string): PluginInstallError {
  return new PluginInstallError(
    'plugin-not-packed',
    `This is no packed npm package: ${why}. Make one with \`npm pack\` in the plugin's folder.`,
  );
}
