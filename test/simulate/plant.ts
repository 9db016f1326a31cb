import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { PLANTS, type Plant } from './plants';

const ROOT = resolve(__dirname, '../..');

/** Throws where there is no such bug, or the code that it was to be planted in is not there any more. */
export function plantNamed(name: string): Plant {
  const plant = PLANTS.find((each) => each.name === name);
  if (!plant)
    throw new Error(`no such planted bug: ${name}; there are ${PLANTS.map((each) => each.name).join(', ')}`);
  for (const { file, replace } of plant.edits)
    if (!readFileSync(join(ROOT, file), 'utf8').includes(replace))
      throw new Error(`${file} has no ${JSON.stringify(replace)} to plant ${name} in`);
  return plant;
}

/** Has the source read with the bug in it; the file stays as it is. Before anything loads it. */
export function plantBug({ edits }: Plant): void {
  // The loader that compiles TypeScript here compiles what it reads; so it is given something else to read.
  const fs = createRequire(__filename)('node:fs') as { readFileSync: typeof readFileSync };
  const read = fs.readFileSync;
  fs.readFileSync = ((...given: Parameters<typeof readFileSync>) => {
    const found = read(...given);
    const own = edits.filter(({ file }) => join(ROOT, file) === given[0]);
    return own.length === 0
      ? found
      : own.reduce((text, { replace, by }) => text.replace(replace, () => by), String(found));
  }) as typeof readFileSync;
}
