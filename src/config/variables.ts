import type { FaultCollector } from './fault-collector';
import { isMapping } from './field-rules';
import { formatPath, type KeyPath } from './key-path';

/** Deeper than any plugin's options; an alias to its own parent would otherwise never end. */
const DEEPEST_NESTING = 64;

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const REFERENCE_BODY = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * A copy of the file's value with every `${VAR}` and `${VAR:-default}` in its texts replaced; `$${` stands
 * for `${` itself. As in a shell, the default also takes the place of an empty variable. What cannot be
 * replaced, and keys that could reach a prototype, become faults.
 */
export function replaceVariables(
  value: unknown,
  env: NodeJS.ProcessEnv,
  faults: FaultCollector,
  path: KeyPath = [],
): unknown {
  if (typeof value === 'string') return replaceInText(value, env, faults, path);
  if (typeof value !== 'object' || value === null) return value;
  if (path.length > DEEPEST_NESTING) {
    faults.addWithoutValue(path, `lists and mappings at most ${DEEPEST_NESTING} deep, none inside itself`);
    return null;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => replaceVariables(item, env, faults, [...path, index]));
  }
  if (!isMapping(value)) return value;
  const entries = Object.entries(value).filter(([key]) => {
    if (key !== '__proto__') return true;
    faults.addWithoutValue([...path, key], 'another key; this one has a meaning of its own in JavaScript');
    return false;
  });
  return Object.fromEntries(
    entries.map(([key, item]) => [key, replaceVariables(item, env, faults, [...path, key])]),
  );
}

function replaceInText(text: string, env: NodeJS.ProcessEnv, faults: FaultCollector, path: KeyPath): string {
  return text.replace(REFERENCE, (reference: string, body: string | undefined) => {
    if (reference === '$${') return '${';
    faults.fromVariables.add(formatPath(path));
    const [, name, fallback] = REFERENCE_BODY.exec(body ?? '') ?? [];
    if (name === undefined || !reference.endsWith('}')) {
      faults.addWithoutValue(
        path,
        'a reference such as ${NAME} or ${NAME:-default}; write $${ for a plain ${',
      );
      return '';
    }
    // process.env has a prototype, and ${constructor} must not find it.
    const found = (Object.hasOwn(env, name) && env[name]) || fallback;
    if (found !== undefined) return found;
    faults.addWithoutValue(
      path,
      `the environment variable ${name} to be set; \${${name}:-} stands for "empty when it is not"`,
    );
    return '';
  });
}
