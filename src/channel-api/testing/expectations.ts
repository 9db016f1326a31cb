import { AssertionError, deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import { type ChannelError, isChannelError } from '../errors';

/**
 * What the suite asks of a plugin. Each takes the rule of the contract that is at stake, as a sentence for the
 * plugin's author: a failure begins with it, and ends with what was expected and what was received.
 */
export function expectEqual(received: unknown, expected: unknown, rule: string): void {
  try {
    deepStrictEqual(withoutUndefined(received), withoutUndefined(expected));
  } catch {
    throw broken(rule, received, expected);
  }
}

/** Looks only at the fields that `expected` has. */
export function expectFields(received: unknown, expected: Record<string, unknown>, rule: string): void {
  const given = (received ?? {}) as Record<string, unknown>;
  const picked = Object.fromEntries(Object.keys(expected).map((name) => [name, given[name]]));
  try {
    deepStrictEqual(picked, expected);
  } catch {
    throw broken(rule, received, expected);
  }
}

export function expectThat(holds: boolean, rule: string, received?: unknown): void {
  if (!holds) throw broken(rule, received, undefined);
}

/** The channel error that a call fails with. */
export async function expectChannelError(call: Promise<unknown>, rule: string): Promise<ChannelError> {
  let answered: unknown;
  try {
    answered = await call;
  } catch (error) {
    if (isChannelError(error)) return error;
    throw broken(
      `${rule}. It failed with an error that tells the host nothing: let what host.http throws pass, or throw one of the errors of onhand/channel-api`,
      error,
      undefined,
    );
  }
  throw broken(`${rule}. The call succeeded`, answered, undefined);
}

/** What a case ended with, as a broken rule: an error that it did not ask for has come out of the plugin. */
export function asBrokenRule(error: unknown): AssertionError {
  if (error instanceof AssertionError) return error;
  return broken(
    'An error comes out of the plugin where the contract has it go on, or answer',
    error,
    undefined,
  );
}

/** A field that is absent and one that is undefined say the same. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  const defined = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(defined.map(([name, field]) => [name, withoutUndefined(field)]));
}

function broken(rule: string, received: unknown, expected: unknown): AssertionError {
  const shown = (value: unknown) => inspect(value, { depth: 6, maxArrayLength: 12, breakLength: 100 });
  const lines = [
    `${rule}.`,
    ...(expected === undefined ? [] : [`expected: ${shown(expected)}`]),
    ...(received === undefined && expected === undefined ? [] : [`received: ${shown(received)}`]),
  ];
  return new AssertionError({ message: lines.join('\n'), actual: received, expected, operator: 'contract' });
}
