import { cursorNumber, MAX_INTEGER_ID, NEWEST, pageOf, placeOfCursor } from './page';
import { Problem } from './problem';

const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ id: index + 1 }));
const page = (count: number, limit: number) =>
  pageOf(
    rows(count),
    limit,
    (row) => row.id,
    (row) => `item ${row.id}`,
  );

describe('a page', () => {
  test('shows as many as the limit, and a cursor to the last of them when there are more', () => {
    const { items, nextCursor } = page(4, 3);
    expect(items).toEqual(['item 1', 'item 2', 'item 3']);
    expect(cursorNumber(nextCursor)).toBe(3);
  });

  test.each([
    [3, 3],
    [2, 3],
    [0, 3],
  ])('of %i rows at a limit of %i is the last, and has no cursor', (count, limit) => {
    expect(page(count, limit)).toEqual({ items: rows(count).map(({ id }) => `item ${id}`) });
  });
});

describe('a cursor', () => {
  const encoded = (text: string) => Buffer.from(text).toString('base64url');

  test('that is absent is no number', () => {
    expect(cursorNumber(undefined)).toBeUndefined();
  });

  test.each([0, 1, MAX_INTEGER_ID, 999_999_999_999_999])('of %i is that number', (number) => {
    expect(cursorNumber(encoded(String(number)))).toBe(number);
  });

  test.each([
    '',
    '!!',
    '3',
    encoded('-1'),
    encoded('1.5'),
    encoded(' 1'),
    encoded('1e3'),
    encoded('0x1'),
    encoded('1\n'),
    encoded('1'.repeat(16)),
  ])('%j is none that a page gave', (cursor) => {
    expect(() => cursorNumber(cursor)).toThrow(Problem);
  });

  test('beyond the ids of its table is none that a page gave', () => {
    expect(cursorNumber(encoded(String(MAX_INTEGER_ID)), MAX_INTEGER_ID)).toBe(MAX_INTEGER_ID);
    expect(() => cursorNumber(encoded(String(MAX_INTEGER_ID + 1)), MAX_INTEGER_ID)).toThrow(Problem);
  });
});

describe('a cursor into a list by time', () => {
  const encoded = (text: string) => Buffer.from(text).toString('base64url');
  const ID = '0192f3a4-0000-4000-8000-0123456789ab';

  test('that is absent stands before the newest', () => {
    expect(placeOfCursor(undefined)).toEqual(NEWEST);
  });

  test('is the moment to the microsecond, and the id among those of one moment', () => {
    expect(placeOfCursor(encoded(`2026-11-21T22:05:09.123456Z ${ID}`))).toEqual({
      at: '2026-11-21T22:05:09.123456Z',
      id: ID,
    });
  });

  test.each([
    '',
    encoded(''),
    encoded('7'),
    encoded(`2026-11-21T22:05:09.123Z ${ID}`),
    encoded(`2026-06-31T22:05:09.123456Z ${ID}`),
    encoded(`2026-11-21T24:00:00.000000Z ${ID}`),
    encoded(`0000-11-21T22:05:09.123456Z ${ID}`),
    encoded(`infinity ${ID}`),
    encoded('2026-11-21T22:05:09.123456Z 7'),
    encoded(`2026-11-21T22:05:09.123456Z ${ID} `),
  ])('%j is none that a page gave', (cursor) => {
    expect(() => placeOfCursor(cursor)).toThrow(Problem);
  });
});
