import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the installed package: where package.json and migrations lie, built or not. */
export const PACKAGE_ROOT = packageRoot(__dirname);

/** This package's version, from its package.json. */
export const VERSION: string = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')).version;

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
