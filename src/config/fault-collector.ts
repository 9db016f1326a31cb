import type { ConfigFault } from './config.errors';
import { formatPath, type KeyPath } from './key-path';
import { isSecretPath, showFound, showKind } from './redaction';

/** Where in the file a path is, both counted from 1. */
export type Locate = (path: KeyPath) => { line: number; column: number } | undefined;

/**
 * Gathers faults, and knows where each value came from: it names the line or the environment variable,
 * and leaves out every value that may be a secret.
 */
export class FaultCollector {
  readonly faults: ConfigFault[] = [];
  /** Formatted paths whose text held a `${VAR}` reference. */
  readonly fromVariables = new Set<string>();
  /** Formatted path to the environment variable that overrides the file there. */
  readonly overrides = new Map<string, string>();
  private readonly faulty = new Set<string>();

  constructor(private readonly locate: Locate) {}

  /** Records that the value at `path` is not what is expected. */
  add(path: KeyPath, expected: string, value: unknown): void {
    this.push(path, expected, this.mayShow(path) ? showFound(value) : undefined);
  }

  /** Records that a list or a mapping is expected; of what is there, only the kind is told. */
  addKind(path: KeyPath, expected: string, value: unknown): void {
    this.push(path, expected, showKind(value));
  }

  /** Records a fault where showing what was found would add nothing. */
  addWithoutValue(path: KeyPath, expected: string): void {
    this.push(path, expected, undefined);
  }

  /** Records a fault of an environment variable that has no place in the file. */
  addVariable(variable: string, expected: string): void {
    this.faults.push({ path: variable, expected });
  }

  /** True when the value, or one that contains it, already has a fault; a second one would be noise. */
  has(path: KeyPath): boolean {
    return (
      path.some((_, index) => this.faulty.has(formatPath(path.slice(0, index + 1)))) || this.faulty.has('')
    );
  }

  /** True when the value was text put together at start-up, not written in the file as it stands. */
  isFromEnvironment(path: KeyPath): boolean {
    const key = formatPath(path);
    return this.fromVariables.has(key) || this.overrides.has(key);
  }

  private mayShow(path: KeyPath): boolean {
    return !isSecretPath(path) && !this.fromVariables.has(formatPath(path));
  }

  private push(path: KeyPath, expected: string, found: string | undefined): void {
    const key = formatPath(path);
    const variable = this.overrides.get(key);
    this.faulty.add(key);
    this.faults.push({
      path: variable === undefined ? key : `${variable} (environment, for ${key})`,
      expected,
      ...(found === undefined ? {} : { found }),
      ...(variable === undefined ? this.locate(path) : {}),
    });
  }
}
