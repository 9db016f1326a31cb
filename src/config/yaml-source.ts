import { isAlias, isMap, isNode, isScalar, isSeq, Lexer, LineCounter, parseDocument } from 'yaml';
import type { Document, ErrorCode, Node } from 'yaml';
import type { ConfigFault } from './config.errors';
import type { Locate } from './fault-collector';
import type { KeyPath } from './key-path';

/** No hand-written file comes near; without a bound a wrong path would be read and parsed whole. */
const LARGEST_CHARACTERS = 262_144;
/** The parser recurses, and ends the whole process when a file nests deep enough. */
const DEEPEST_NESTING = 48;
/** Aliases that multiply make gigabytes out of a few lines. */
const MOST_ALIASES = 100;

/** What a YAML text holds, with the place of every value in it. */
export interface YamlSource {
  readonly value: unknown;
  readonly locate: Locate;
  /** Syntax faults; when there are any, `value` is undefined. */
  readonly faults: readonly ConfigFault[];
}

/** Parses one YAML 1.2 document of plain data. Never throws: what is wrong is in `faults`. */
export function parseYaml(text: string): YamlSource {
  const refusal = refuseBySize(text);
  if (refusal !== undefined) return refused([refusal]);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    stringKeys: true,
    resolveKnownTags: false,
  });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    return refused(problems.map(({ code, pos }) => syntaxFault(code, position(lines, pos[0]))));
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    return { value, locate: (path) => locate(document, lines, path), faults: [] };
  } catch {
    return refused([
      {
        path: '',
        expected: `aliases (*name) that follow their anchor (&name), used at most ${MOST_ALIASES} times`,
      },
    ]);
  }
}

function refused(faults: readonly ConfigFault[]): YamlSource {
  return { value: undefined, locate: () => undefined, faults };
}

function refuseBySize(text: string): ConfigFault | undefined {
  if (text.length > LARGEST_CHARACTERS) {
    return { path: '', expected: `at most ${LARGEST_CHARACTERS} characters`, found: `${text.length}` };
  }
  if (isDeeperThan(text, DEEPEST_NESTING)) {
    return { path: '', expected: `lists and mappings at most ${DEEPEST_NESTING} deep` };
  }
  return undefined;
}

/** Counts open brackets, and the dashes of one line (`- - - x`), on tokens: the lexer does not recurse. */
function isDeeperThan(text: string, limit: number): boolean {
  let brackets = 0;
  let dashes = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') brackets += 1;
    else if (token === ']' || token === '}') brackets -= 1;
    else if (token === '-' || token === '?') dashes += 1;
    else if (token.startsWith('\n') || token.startsWith('\r')) dashes = 0;
    if (brackets > limit || dashes > limit) return true;
  }
  return false;
}

const EXPECTED_SYNTAX: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: 'lines of one mapping or list to start in the same column',
  BAD_SCALAR_START: 'quotes around text that starts with a reserved character such as @ or `',
  BLOCK_AS_IMPLICIT_KEY: 'one "key: value" on a line; text with a colon needs quotes',
  DUPLICATE_KEY: 'each key once in its mapping',
  MISSING_CHAR: 'a closing quote, bracket or comma, or a space after ":"',
  MULTILINE_IMPLICIT_KEY: 'a key on one line, followed by ":"',
  MULTIPLE_DOCS: 'one document, without a second "---"',
  NON_STRING_KEY: 'plain text as a key',
  TAB_AS_INDENT: 'spaces, not tabs, at the start of a line',
  TAG_RESOLVE_FAILED: 'plain values, without a !tag',
  UNEXPECTED_TOKEN: 'the end of the value; text with brackets, such as a ${VAR} inside {…}, needs quotes',
};

/** The parser's own messages quote the text, which may hold a secret: each code has its own sentence here. */
function syntaxFault(code: ErrorCode, place: { line: number; column: number }): ConfigFault {
  return { path: '', expected: EXPECTED_SYNTAX[code] ?? `valid YAML (${code})`, ...place };
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** The place of the deepest part of the path that is in the file: the key in a mapping, the item in a list. */
function locate(
  document: Document.Parsed,
  lines: LineCounter,
  path: KeyPath,
): { line: number; column: number } | undefined {
  let node: unknown = document.contents;
  let place = isNode(node) ? node : undefined;
  for (const key of path) {
    const step = descend(isAlias(node) ? node.resolve(document) : node, key);
    if (step === undefined) break;
    node = step.value;
    place = step.place;
  }
  const offset = place?.range?.[0];
  return offset === undefined ? undefined : position(lines, offset);
}

function descend(
  node: unknown,
  key: string | number,
): { value: unknown; place: Node | undefined } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return isNode(item) ? { value: item, place: item } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((candidate) => isScalar(candidate.key) && candidate.key.value === key);
  return pair === undefined
    ? undefined
    : { value: pair.value, place: isNode(pair.key) ? pair.key : undefined };
}
