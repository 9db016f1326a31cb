import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');
/** A row that ends in a spec and the title of a test in it. */
const CITED = /\| `([\w./-]+spec\.ts)`: (.+) \|$/gm;

const cited = [...readFileSync(join(ROOT, 'docs/proof.md'), 'utf8').matchAll(CITED)];

test.each(cited.map(([, file, title]) => ({ file: file!, title: title! })))(
  'docs/proof.md cites a test that is there: $title',
  ({ file, title }) => {
    expect(existsSync(join(ROOT, file))).toBe(true);
    expect(readFileSync(join(ROOT, file), 'utf8')).toContain(title);
  },
);

test('docs/proof.md cites tests', () => {
  expect(cited.length).toBeGreaterThan(20);
});
