import { posix } from 'node:path';
import ts from 'typescript';

/** A file as the rules see it: its path from the project's root, with forward slashes, and its text. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path from the project's root without extension; null for packages and builtins. */
  readonly target: string | null;
  readonly line: number;
}

export interface Occurrence {
  readonly text: string;
  readonly line: number;
}

const syntaxTrees = new WeakMap<SourceText, ts.SourceFile>();

export function isSpec(path: string): boolean {
  return /[.-]spec\.ts$/.test(path);
}

export function isTypeScript({ path }: SourceText): boolean {
  return path.endsWith('.ts');
}

/** The room of a path under `src`, such as `intake`; null for files of `src` itself and for all else. */
export function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** The folder of a plugin's package, with a slash at its end: our own, and the third party's in the tests. */
export function pluginFolderOf(path: string): string | null {
  return /^(?:plugins\/[^/]+|test\/sample-plugin)\//.exec(path)?.[0] ?? null;
}

export function pluginOf(path: string): string | null {
  return pluginFolderOf(path)?.split('/').at(-2) ?? null;
}

export function visit(
  source: SourceText,
  see: (node: ts.Node, lineOf: (node: ts.Node) => number) => void,
): void {
  const tree = syntaxTree(source);
  const lineOf = (node: ts.Node): number => tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
  const descend = (node: ts.Node): void => {
    see(node, lineOf);
    ts.forEachChild(node, descend);
  };
  descend(tree);
}

/** Every module a file names: import, export from, import type, import(), require() and jest's mocks. */
export function readImports(source: SourceText): Import[] {
  const imports: Import[] = [];
  visit(source, (node, lineOf) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    imports.push({ specifier, target: resolveTarget(source.path, specifier), line: lineOf(node) });
  });
  return imports;
}

/** String literals and templates, each template as one text with `?` for what is put into it. */
export function readStrings(source: SourceText): Occurrence[] {
  const strings: Occurrence[] = [];
  visit(source, (node, lineOf) => {
    if (ts.isStringLiteralLike(node)) strings.push({ text: node.text, line: lineOf(node) });
    if (!ts.isTemplateExpression(node)) return;
    const text = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('?');
    strings.push({ text, line: lineOf(node) });
  });
  return strings;
}

function syntaxTree(source: SourceText): ts.SourceFile {
  const known = syntaxTrees.get(source);
  if (known !== undefined) return known;
  const tree = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true);
  syntaxTrees.set(source, tree);
  return tree;
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literalText(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return literalText(node.argument.literal);
  if (ts.isExternalModuleReference(node)) return literalText(node.expression);
  if (!ts.isCallExpression(node)) return undefined;
  const callee = node.expression;
  const isImport = callee.kind === ts.SyntaxKind.ImportKeyword;
  const loads = /^(?:require(?:\.resolve)?|jest\.(?:do)?[mM]ock|jest\.requireActual|import\.meta\.resolve)$/;
  return isImport || loads.test(callee.getText()) ? literalText(node.arguments[0]) : undefined;
}

function literalText(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function resolveTarget(path: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier);
  if (/^onhand\/channel-api(?:\/|$)/.test(specifier)) return specifier.replace('onhand/', 'src/');
  return null;
}
