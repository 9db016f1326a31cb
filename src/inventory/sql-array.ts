/**
 * PostgreSQL array literals for set-based statements. The driver's own encoder quotes every element, which
 * at tens of thousands of rows a second costs more than the rest of the writer.
 */
export function numberArray(values: readonly (number | null | undefined)[]): string {
  let literal = '{';
  for (let index = 0; index < values.length; index++) {
    if (index > 0) literal += ',';
    literal += values[index] ?? 'NULL';
  }
  return literal + '}';
}

/** A value made of these alone stands in an array literal as it is. */
const PLAIN = /^(?!null$)[\w:.#-]+$/i;
const NEEDS_ESCAPE = /["\\]/g;

export function textArray(values: readonly (string | null | undefined)[]): string {
  let literal = '{';
  for (let index = 0; index < values.length; index++) {
    if (index > 0) literal += ',';
    const value = values[index];
    if (value === null || value === undefined) literal += 'NULL';
    else literal += PLAIN.test(value) ? value : `"${value.replace(NEEDS_ESCAPE, '\\$&')}"`;
  }
  return literal + '}';
}

export function bytesArray(values: readonly Buffer[]): string {
  return '{' + values.map((value) => `"\\\\x${value.toString('hex')}"`).join(',') + '}';
}
