import { byPlace, connect, type ConnectionArguments } from './connection';

const paged = (size: number, args: ConnectionArguments, isBulk = false) => {
  const rows = Array.from({ length: size }, (_, index) => index);
  return connect(rows, args, { apiVersion: '2026-07', isBulk, pretend: false }, byPlace, (row) => row);
};

test('pages follow one another by their cursors, forwards and backwards', () => {
  const first = paged(5, { first: 2 });
  expect([first.nodes, first.pageInfo.hasNextPage, first.pageInfo.hasPreviousPage]).toEqual([
    [0, 1],
    true,
    false,
  ]);
  const second = paged(5, { first: 2, after: first.pageInfo.endCursor });
  expect([second.nodes, second.pageInfo.hasPreviousPage]).toEqual([[2, 3], true]);
  expect(paged(5, { last: 2, before: second.pageInfo.startCursor }).nodes).toEqual([0, 1]);
  expect(paged(5, { first: 2, reverse: true }).nodes).toEqual([4, 3]);
});

test.each<[string, ConnectionArguments]>([
  ['no size', {}],
  ['a size over 250', { first: 251 }],
  ['a cursor of another make', { first: 1, after: 'bm8=' }],
  ['what comes after the first 25,000', { first: 2, after: cursorOf(24_998) }],
])('%s is refused', (_, args) => {
  expect(() => paged(30_000, args)).toThrow();
});

test('the last of 25,000 are given, and in bulk all there are', () => {
  expect(paged(30_000, { first: 1, after: cursorOf(24_998) }).nodes).toEqual([24_999]);
  expect(paged(30_000, {}, true).nodes).toHaveLength(30_000);
});

function cursorOf(place: number): string {
  return Buffer.from(JSON.stringify({ last_id: place, last_value: 0 })).toString('base64');
}
