import { builtinModules } from 'node:module';
import ts from 'typescript';
import {
  isSpec,
  isTypeScript,
  pluginFolderOf,
  pluginOf,
  readImports,
  readStrings,
  roomOf,
  visit,
  type Import,
  type SourceText,
} from './tidy-source';

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly why: string;
}

type Finding = Pick<Violation, 'line' | 'why'>;

/** A rule looks at one file; `all` is there for what a file's neighbours say, such as a package.json. */
export interface Rule {
  readonly name: string;
  readonly check: (source: SourceText, all: readonly SourceText[]) => Finding[];
}

/** The only files that may write `ledger` and `levels`; everything else posts commands. */
const LEDGER_WRITERS = ['src/inventory/ledger-writer.ts', 'src/inventory/rebuild.service.ts'];
const LEDGER_TABLES = 'ledger|levels';

/** The folders of `src`, which read as a list of nouns. A new one is a decision, made here. */
const ROOMS = [
  ...['access', 'activity', 'alerts', 'buffers', 'channel-api', 'channels', 'cli', 'config', 'console'],
  ...['database', 'doctor', 'http', 'install', 'intake', 'inventory', 'jobs', 'monitor', 'outbound'],
  ...['push', 'reconcile', 'replay', 'scheduler', 'secrets', 'telemetry'],
];
const DRAWERS = ['common', 'shared', 'utils', 'util', 'helpers', 'helper', 'lib', 'libs', 'misc'];
const FLOW_ROOMS = ['intake', 'push', 'reconcile'];
const UNKNOWN_TO_INVENTORY = [
  ...FLOW_ROOMS,
  'channels',
  'buffers',
  'scheduler',
  'monitor',
  'outbound',
  'alerts',
  'console',
];
const ALLOWED_TO_SCHEDULER = ['scheduler', 'jobs', 'config'];

/** What a plugin's specs may use without naming it in their package.json: the project's own test tools. */
const TEST_TOOLS = ['ajv', 'nock', 'fast-check', 'supertest', '@jest/globals'];

const LONGEST_FILE = 400;
const LONGEST_SPEC = 600;
const LONGEST_FUNCTION = 70;

/** `noun.kind.ts`; a file of plain functions or types has no kind. */
const KINDS = [
  ...['module', 'controller', 'service', 'worker', 'entity', 'errors', 'spec', 'e2e-spec', 'config'],
  ...['guard', 'filter', 'interceptor', 'pipe', 'middleware', 'contract'],
];
const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** These two have to spell out what they forbid. */
const EXEMPT_FROM_BANNED_WORDS = ['test/support/tidy-rules.ts', 'test/tidy.spec.ts'];

export const RULES: readonly Rule[] = [
  { name: 'plugin-imports', check: checkPluginImports },
  { name: 'no-plugin-by-name', check: forEachImport(refusePluginByName) },
  { name: 'channel-api-alone', check: forEachImport(refuseHostInChannelApi) },
  { name: 'inventory-knows-no-channel', check: forEachImport(refuseChannelInInventory) },
  { name: 'flow-rooms-apart', check: forEachImport(refuseFlowToFlow) },
  { name: 'scheduler-knows-when', check: forEachImport(refuseWorkInScheduler) },
  { name: 'known-rooms', check: checkRooms },
  { name: 'no-drawers', check: checkDrawers },
  { name: 'ledger-writers', check: checkLedgerWrites },
  { name: 'short-files', check: checkFileLength },
  { name: 'short-functions', check: checkFunctionLength },
  { name: 'no-banned-words', check: checkBannedWords },
  { name: 'no-console', check: checkConsole },
  { name: 'no-focused-tests', check: checkFocusedTests },
  { name: 'no-any', check: checkAny },
  { name: 'no-i-prefix', check: checkPrefixes },
  { name: 'file-names', check: checkFileName },
];

/** Runs rules over files. Pure: the same texts give the same violations, in the order of the files. */
export function checkTidy(sources: readonly SourceText[], rules: readonly Rule[] = RULES): Violation[] {
  return sources
    .filter(isTypeScript)
    .flatMap((source) =>
      rules.flatMap(({ name, check }) =>
        check(source, sources).map((finding) => ({ path: source.path, rule: name, ...finding })),
      ),
    );
}

function forEachImport(refuse: (path: string, imported: Import) => string | undefined): Rule['check'] {
  return (source) =>
    readImports(source).flatMap((imported) => {
      const why = refuse(source.path, imported);
      return why === undefined ? [] : [{ line: imported.line, why }];
    });
}

function targetRoom({ target }: Import): string | null {
  return target === null ? null : roomOf(`${target}/`);
}

function checkPluginImports(source: SourceText, all: readonly SourceText[]): Finding[] {
  const folder = pluginFolderOf(source.path);
  if (folder === null) return [];
  const own = readPackages(
    all.find(({ path }) => path === `${folder}package.json`)?.text,
    isSpec(source.path),
  );
  return readImports(source).flatMap(({ specifier, target, line }) => {
    if (specifier === 'onhand/channel-api' || specifier.startsWith('node:')) return [];
    if (specifier === 'onhand/channel-api/testing' && (isSpec(source.path) || isFixture(source.path)))
      return [];
    if (target !== null && `${target}/`.startsWith(folder)) return [];
    if (target === null && own.includes(packageOf(specifier))) return [];
    return [{ line, why: `imports ${specifier}: ${pluginAdvice(specifier, target)}` }];
  });
}

/** What specs share, and no package has in it. */
function isFixture(path: string): boolean {
  return path.endsWith('.fixtures.ts');
}

function pluginAdvice(specifier: string, target: string | null): string {
  if (specifier === 'onhand/channel-api/testing') return 'only specs and their fixtures may use the test kit';
  if (builtinModules.includes(specifier)) return `write node:${specifier}`;
  if (target === null && !specifier.startsWith('onhand'))
    return 'add it to the dependencies in the plugin’s package.json';
  return 'a plugin imports onhand/channel-api, its dependencies and its own folder, as a third party would';
}

function readPackages(manifest: string | undefined, isForSpec: boolean): string[] {
  const { dependencies, peerDependencies, devDependencies } = JSON.parse(manifest ?? '{}') as Partial<
    Record<string, Record<string, string>>
  >;
  const names = { ...dependencies, ...peerDependencies, ...(isForSpec ? devDependencies : {}) };
  return [...Object.keys(names).filter((name) => name !== 'onhand'), ...(isForSpec ? TEST_TOOLS : [])];
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function refusePluginByName(path: string, { specifier, target }: Import): string | undefined {
  if (!path.startsWith('src/')) return undefined;
  if (!specifier.startsWith('@onhand/') && !target?.startsWith('plugins/')) return undefined;
  return `imports ${specifier}: only the loader imports plugins, by what onhand.yaml names`;
}

function refuseHostInChannelApi(path: string, imported: Import): string | undefined {
  if (roomOf(path) !== 'channel-api' || !imported.target?.startsWith('src/')) return undefined;
  if (targetRoom(imported) === 'channel-api') return undefined;
  return `imports ${imported.specifier}: a plugin carries channel-api, so it must not pull in the host`;
}

function refuseChannelInInventory(path: string, imported: Import): string | undefined {
  if (roomOf(path) !== 'inventory' || !UNKNOWN_TO_INVENTORY.includes(targetRoom(imported) ?? ''))
    return undefined;
  return `imports ${imported.specifier}: inventory knows no channel; let that room call inventory`;
}

function refuseFlowToFlow(path: string, imported: Import): string | undefined {
  const [from, to] = [roomOf(path) ?? '', targetRoom(imported) ?? ''];
  if (from === to || !FLOW_ROOMS.includes(from) || !FLOW_ROOMS.includes(to)) return undefined;
  return `imports ${imported.specifier}: ${from} and ${to} meet through the ledger, tables and named jobs`;
}

function refuseWorkInScheduler(path: string, imported: Import): string | undefined {
  if (roomOf(path) !== 'scheduler' || !imported.target?.startsWith('src/')) return undefined;
  if (ALLOWED_TO_SCHEDULER.includes(targetRoom(imported) ?? '')) return undefined;
  return `imports ${imported.specifier}: the scheduler says when, never what; add a named job`;
}

function checkRooms({ path }: SourceText): Finding[] {
  const room = roomOf(path);
  if (room === null || ROOMS.includes(room)) return [];
  return [{ line: 1, why: `${room} is not a room of src; the rooms are ${ROOMS.join(', ')}` }];
}

function checkDrawers({ path }: SourceText): Finding[] {
  const drawer = path
    .split('/')
    .slice(0, -1)
    .find((folder) => DRAWERS.includes(folder));
  return drawer === undefined
    ? []
    : [{ line: 1, why: `a folder named ${drawer} says nothing of what is in it` }];
}

const LEDGER_WRITE = new RegExp(
  `\\b(?:insert\\s+into|update(?:\\s+only)?|delete\\s+from(?:\\s+only)?|merge\\s+into(?:\\s+only)?|copy` +
    `|truncate(?:\\s+table)?(?:[^;]*,)?)\\s+(?:"?\\w+"?\\.)?"?(?:${LEDGER_TABLES})"?(?!["\\w])`,
  'i',
);

function checkLedgerWrites(source: SourceText): Finding[] {
  const isProduction = /^(?:src|plugins)\//.test(source.path) && !isSpec(source.path);
  if (!isProduction || LEDGER_WRITERS.includes(source.path)) return [];
  return readStrings(source)
    .filter(({ text }) => LEDGER_WRITE.test(text))
    .map(({ text, line }) => ({
      line,
      why: `"${LEDGER_WRITE.exec(text)?.[0]}": only ${LEDGER_WRITERS.join(' and ')} may; post a command`,
    }));
}

function checkFileLength({ path, text }: SourceText): Finding[] {
  const limit = isSpec(path) ? LONGEST_SPEC : LONGEST_FILE;
  const lines = text.replace(/\n$/, '').split('\n').length;
  return lines <= limit ? [] : [{ line: limit + 1, why: `${lines} lines, and ${limit} is the most` }];
}

/** Specs are exempt: a `describe` block is a list of facts, not a function that does one thing. */
function checkFunctionLength(source: SourceText): Finding[] {
  if (isSpec(source.path)) return [];
  return collect(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return undefined;
    const lines = node.getText().split('\n').length;
    return lines <= LONGEST_FUNCTION
      ? undefined
      : `a function of ${lines} lines, and ${LONGEST_FUNCTION} is the most`;
  });
}

function checkBannedWords({ path, text }: SourceText): Finding[] {
  if (EXEMPT_FROM_BANNED_WORDS.includes(path)) return [];
  return text.split('\n').flatMap((content, index) => {
    const word = /\b(?:TODO|FIXME)\b/.exec(content)?.[0];
    return word === undefined ? [] : [{ line: index + 1, why: `${word}: do it now, or open an issue` }];
  });
}

function checkConsole(source: SourceText): Finding[] {
  if (!/^(?:src|plugins)\//.test(source.path) || /^src\/cli(?:\.ts|\/)/.test(source.path)) return [];
  return collect(source, (node) =>
    ts.isPropertyAccessExpression(node) && node.expression.getText() === 'console'
      ? `${node.getText()}: use the logger; only src/cli writes to the terminal`
      : undefined,
  );
}

function checkFocusedTests(source: SourceText): Finding[] {
  return collect(source, (node) => {
    const isOnly =
      ts.isPropertyAccessExpression(node) && /^(?:describe|test|it)\b.*\.only$/s.test(node.getText());
    const isFocused = ts.isCallExpression(node) && /^(?:fdescribe|fit)$/.test(node.expression.getText());
    return isOnly || isFocused ? 'a focused test turns all others off' : undefined;
  });
}

function checkAny(source: SourceText): Finding[] {
  if (!/^(?:src|plugins)\//.test(source.path) || isSpec(source.path)) return [];
  return collect(source, (node) =>
    node.kind === ts.SyntaxKind.AnyKeyword
      ? 'any turns the checks off; write the type, or unknown'
      : undefined,
  );
}

function checkPrefixes(source: SourceText): Finding[] {
  return collect(source, (node) => {
    if (!ts.isInterfaceDeclaration(node) && !ts.isClassDeclaration(node) && !ts.isTypeAliasDeclaration(node))
      return undefined;
    const name = node.name?.text ?? '';
    return /^I[A-Z][a-z]/.test(name) ? `${name}: name the thing, without an I in front` : undefined;
  });
}

/** In `plugins/<channel>/` a file with a kind is `<channel>.<role>.ts`; the roles are the plugin's own. */
function checkFileName({ path }: SourceText): Finding[] {
  const [noun = '', ...kinds] = (path.split('/').pop() ?? '').replace(/(?:\.d)?\.ts$/, '').split('.');
  const plugin = pluginOf(path);
  if (![noun, ...kinds].every((part) => KEBAB.test(part))) return [{ line: 1, why: 'names are kebab-case' }];
  const isOwnFile = plugin !== null && (noun === plugin || kinds.length === 0);
  const unknown = kinds.find((kind) => !KINDS.includes(kind));
  if (isOwnFile || unknown === undefined) return [];
  return [{ line: 1, why: `${unknown} is not a kind of file; the kinds are ${KINDS.join(', ')}` }];
}

function collect(source: SourceText, judge: (node: ts.Node) => string | undefined): Finding[] {
  const findings: Finding[] = [];
  visit(source, (node, lineOf) => {
    const why = judge(node);
    if (why !== undefined) findings.push({ line: lineOf(node), why });
  });
  return findings;
}
