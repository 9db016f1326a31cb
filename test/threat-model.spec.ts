import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const PAGE = resolve(__dirname, '../docs/threat-model.md');

test('every test that the threat model names is there', () => {
  const named = [...readFileSync(PAGE, 'utf8').matchAll(/\[([^\]]+)\]\((\.\.\/[^)]+\.ts)\)/g)];
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter(([, title = '', file = '']) => {
    const path = join(dirname(PAGE), file);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(title);
  });
  expect(missing.map(([text]) => text)).toEqual([]);
});
