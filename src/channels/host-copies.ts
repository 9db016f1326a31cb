import Module, { createRequire } from 'node:module';
import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PACKAGE_ROOT } from '../version';

/** Libraries that keep what decorators say in a store of their own: a second copy's would never be read. */
export const LENT_LIBRARIES = ['class-validator', 'class-transformer'] as const;

type Resolve = (
  request: string,
  parent: { filename?: string | null } | undefined,
  ...rest: unknown[]
) => string;
type NextResolve = (specifier: string, context: object) => unknown;

/** The parts of `node:module` that Node's types leave out, or that Node 20 lacks. */
interface Resolver {
  _resolveFilename: Resolve;
  register?(hooks: string, options: { data: unknown }): void;
  registerHooks?(hooks: {
    resolve(specifier: string, context: { parentURL?: string }, next: NextResolve): unknown;
  }): void;
}

const resolver = Module as unknown as Resolver;

/** Folders, each with a separator at its end. */
const borrowers = new Set<string>();
let copies: ReadonlyMap<string, string> | undefined;

/**
 * From now on the modules of a plugin's package get `onhand/channel-api` and the libraries of its options
 * from this host, wherever the package lies and whatever copies it brings. Its dependencies keep their own.
 */
export function lendTo(root: string): void {
  const borrower = root.endsWith(sep) ? root : `${root}${sep}`;
  if (borrowers.has(borrower) || hasAll(borrower)) return;
  const isFirst = borrowers.size === 0;
  borrowers.add(borrower);
  if (resolver.registerHooks === undefined) lendOnNode20(borrower, isFirst);
  else if (isFirst) lendByHooks(resolver.registerHooks.bind(resolver));
}

/** A package within this project finds the host's own by itself, and needs no hooks. */
function hasAll(borrower: string): boolean {
  const from = createRequire(`${borrower}package.json`);
  return [...hostCopies()].every(([specifier, file]) => {
    try {
      return from.resolve(specifier) === file;
    } catch {
      return false;
    }
  });
}

function hostCopies(): ReadonlyMap<string, string> {
  const own = createRequire(`${PACKAGE_ROOT}/package.json`);
  copies ??= new Map([
    ['onhand/channel-api', require.resolve('../channel-api')],
    ['onhand/channel-api/testing', require.resolve('../channel-api/testing')],
    ...LENT_LIBRARIES.map((name): [string, string] => [name, own.resolve(name)]),
  ]);
  return copies;
}

function copyFor(specifier: string, parent: string | null | undefined): string | undefined {
  const copy = hostCopies().get(specifier);
  return copy !== undefined && parent && isOwnModule(parent) ? copy : undefined;
}

function isOwnModule(file: string): boolean {
  return [...borrowers].some(
    (root) => file.startsWith(root) && !file.slice(root.length).includes(`node_modules${sep}`),
  );
}

/** Since Node 22.15 one hook serves `import` and `require` alike. */
function lendByHooks(registerHooks: NonNullable<Resolver['registerHooks']>): void {
  registerHooks({
    resolve(specifier, context, next) {
      const parent = context.parentURL?.startsWith('file:') ? fileURLToPath(context.parentURL) : undefined;
      const copy = copyFor(specifier, parent);
      if (copy === undefined) return next(specifier, context);
      return { url: pathToFileURL(copy).href, format: 'commonjs', shortCircuit: true };
    },
  });
}

/** There `require` has no hook but the function that all such tools replace, and `import` has a thread of its own. */
function lendOnNode20(borrower: string, isFirst: boolean): void {
  if (isFirst) {
    const next = resolver._resolveFilename;
    resolver._resolveFilename = function resolve(request, parent, ...rest) {
      return copyFor(request, parent?.filename) ?? next.call(this, request, parent, ...rest);
    };
  }
  const urls = [...hostCopies()].map(([specifier, file]) => [specifier, pathToFileURL(file).href]);
  resolver.register?.(IMPORT_HOOKS, { data: { root: pathToFileURL(borrower).href, copies: urls } });
}

/** As text, because that thread shares nothing with this one, its loader of TypeScript in the tests included. */
const IMPORT_HOOKS = `data:text/javascript,${encodeURIComponent(`
  const roots = [];
  let copies = new Map();
  export function initialize(data) {
    roots.push(data.root);
    copies = new Map(data.copies);
  }
  export function resolve(specifier, context, next) {
    const url = copies.get(specifier);
    const parent = context.parentURL ?? '';
    const isOwn = (root) => parent.startsWith(root) && !parent.slice(root.length).includes('node_modules/');
    return url !== undefined && roots.some(isOwn) ? { url, shortCircuit: true } : next(specifier, context);
  }
`)}`;
