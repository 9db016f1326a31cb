import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the installed package: where package.json and migrations lie, built or not. */
export const PACKAGE_ROOT = packageRoot(__dirname);

const MANIFEST = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
};

/** This package's version, from its package.json. */
export const VERSION = MANIFEST.version;

/** Versions of Node.js that it runs on. */
export const NODE_RANGE = MANIFEST.engines.node;

function packageRoot(folder: string): string {
  try {
    if (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name === 'onhand') return folder;
  } catch {
    // No package.json here: look one folder up.
  }
  const parent = dirname(folder);
  if (parent === folder) throw new Error('cannot find the package.json of onhand above ' + __dirname);
  return packageRoot(parent);
}
