import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PLANTED_BUGS } from './planted-bugs';

const ROOT = resolve(__dirname, '../..');

describe('the list of planted bugs', () => {
  test.each(PLANTED_BUGS)('$name still has what it replaces, once', ({ file, before, after }) => {
    expect(readFileSync(join(ROOT, file), 'utf8').split(before)).toHaveLength(2);
    expect(after).not.toBe(before);
  });

  test('names no bug twice', () => {
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
  });
});
