/** Characters that move the cursor or end a line, but for tabs and the line feed. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * A message as it can stand in a log for people: what a channel or a caller put into it cannot look like a line of the
 * log's own, nor steer the terminal. Its further lines are indented.
 */
export function readableMessage(text: string): string {
  return text
    .replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('\n', '\n    ');
}

/** The arguments of one call of a logger, an object and a message or a message alone, with the message readable. */
export function readableArguments(given: readonly unknown[]): unknown[] {
  return given.map((each) => {
    if (typeof each === 'string') return readableMessage(each);
    const msg = (each as { msg?: unknown } | null)?.msg;
    return typeof msg === 'string' ? { ...(each as object), msg: readableMessage(msg) } : each;
  });
}
