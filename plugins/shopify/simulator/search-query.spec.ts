import { compareText, parseSearch } from './search-query';

const SKUS = ['A-1', 'A-2', 'b "c"', "it's", '(d)', 'OR'];
const found = (query: string | null) =>
  SKUS.filter((sku) =>
    parseSearch(query)((field, compare, value) => field === 'sku' && compareText(sku, compare, value)),
  );

test.each<[string | null, string[]]>([
  [null, SKUS],
  ['', SKUS],
  ['sku:A-1', ['A-1']],
  ['sku:a-1', ['A-1']],
  ['sku:A*', ['A-1', 'A-2']],
  ['sku:"A-1" OR sku:"A-2"', ['A-1', 'A-2']],
  ['sku:A* AND -sku:A-1', ['A-2']],
  ['sku:A* NOT sku:A-1', ['A-2']],
  ['sku:A* (sku:A-1 OR sku:OR)', ['A-1']],
  ['sku:"b \\"c\\""', ['b "c"']],
  ["sku:'it\\'s' OR sku:'(d)'", ["it's", '(d)']],
  ['sku:OR', ['OR']],
  ['title:A-1', []],
])('%s finds what Shopify would find', (query, expected) => {
  expect(found(query)).toEqual(expected);
});

test.each(['A-1', 'sku:A-1 OR', '(sku:A-1', 'sku:A-1)', 'sku:"A-1', 'OR sku:A'])('%s is refused', (query) => {
  expect(() => parseSearch(query)).toThrow(/search query/);
});
