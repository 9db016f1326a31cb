import { GraphQLError } from 'graphql';

/** Whether a row has a field with this value; `compare` is `:`, or `:>=` and its like. */
export type FieldTest = (field: string, compare: Comparison, value: string) => boolean;
export type Comparison = ':' | ':>=' | ':>' | ':<=' | ':<';

type Matcher = (test: FieldTest) => boolean;

const TOKEN =
  /\s*(?:(\()|(\))|(-?)([A-Za-z_]+)(:>=|:<=|:>|:<|:)(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s()"'][^\s()]*))|(OR|AND|NOT)(?=[\s()]|$))/y;

/**
 * Shopify's search syntax (shopify.dev/docs/api/usage/search-syntax): `field:value` with a comparison and quotes,
 * `AND` by default, `OR`, `NOT` or `-`, and brackets. Values without a field are not understood here. Throws `GraphQLError`.
 */
export function parseSearch(query: string | null | undefined): Matcher {
  if (query == null || query.trim() === '') return () => true;
  const tokens = [...tokensOf(query)];
  const matcher = parseAny(tokens);
  if (tokens.length > 0) throw new GraphQLError(`the search query has a bracket too many: ${query}`);
  return matcher;
}

type Token = { kind: 'open' | 'close' | 'OR' | 'AND' | 'NOT' } | { kind: 'term'; matcher: Matcher };

function* tokensOf(query: string): Generator<Token> {
  TOKEN.lastIndex = 0;
  for (let at = 0; query.slice(at).trim() !== ''; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(query);
    if (!match)
      throw new GraphQLError(`the search query is not understood from: ${query.slice(at, at + 40)}`);
    const [, open, close, minus, field, compare, single, double, bare, word] = match;
    if (open !== undefined) yield { kind: 'open' };
    else if (close !== undefined) yield { kind: 'close' };
    else if (word !== undefined) yield { kind: word as 'OR' };
    else yield termOf(minus === '-', field as string, compare as Comparison, single ?? double ?? bare ?? '');
  }
}

function termOf(isNot: boolean, field: string, compare: Comparison, written: string): Token {
  const value = written.replace(/\\(.)/g, '$1');
  return { kind: 'term', matcher: (test) => test(field, compare, value) !== isNot };
}

function parseAny(tokens: Token[]): Matcher {
  const either = [parseAll(tokens)];
  while (tokens[0]?.kind === 'OR') {
    tokens.shift();
    either.push(parseAll(tokens));
  }
  return (test) => either.some((each) => each(test));
}

function parseAll(tokens: Token[]): Matcher {
  const all: Matcher[] = [];
  for (;;) {
    const next = tokens[0];
    if (next === undefined || next.kind === 'OR' || next.kind === 'close') break;
    if (next.kind === 'AND') tokens.shift();
    else all.push(parseOne(tokens));
  }
  if (all.length === 0)
    throw new GraphQLError('the search query has an OR or a bracket with nothing beside it');
  return (test) => all.every((each) => each(test));
}

function parseOne(tokens: Token[]): Matcher {
  const token = tokens.shift();
  if (token?.kind === 'term') return token.matcher;
  if (token?.kind === 'NOT') {
    const not = parseOne(tokens);
    return (test) => !not(test);
  }
  if (token?.kind !== 'open') throw new GraphQLError('the search query ends too early');
  const within = parseAny(tokens);
  if (tokens.shift()?.kind !== 'close') throw new GraphQLError('the search query lacks a closing bracket');
  return within;
}

/** Compares as the operator says; `:` is equality, without regard to case, and `*` ends a prefix. */
export function compareText(actual: string | undefined, compare: Comparison, wanted: string): boolean {
  if (actual === undefined) return false;
  const [a, b] = [actual.toLowerCase(), wanted.toLowerCase()];
  if (compare === ':') return b.endsWith('*') ? a.startsWith(b.slice(0, -1)) : a === b;
  return compareNumber(Number(actual), compare, Number(wanted));
}

/** Times as ms; those that cannot be read match nothing. */
export function compareTime(actual: number | undefined, compare: Comparison, wanted: string): boolean {
  return actual !== undefined && compareNumber(actual, compare, Date.parse(wanted));
}

function compareNumber(actual: number, compare: Comparison, wanted: number): boolean {
  switch (compare) {
    case ':':
      return actual === wanted;
    case ':>':
      return actual > wanted;
    case ':>=':
      return actual >= wanted;
    case ':<':
      return actual < wanted;
    case ':<=':
      return actual <= wanted;
  }
}
