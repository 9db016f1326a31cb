const LONG_NUMBER = /[0-9]{16}/;

/**
 * `JSON.parse`, except that an integer beyond 2^53 comes as a string of its digits instead of rounded:
 * marketplaces give 64-bit ids as bare numbers, and two of them may round to the same one.
 * Throws `SyntaxError` when the text is not JSON.
 */
export function parseJsonLossless(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  // Nearly every body has no run of 16 digits, and is parsed once.
  return LONG_NUMBER.test(text) ? JSON.parse(quoteUnsafeIntegers(text)) : parsed;
}

/** Takes text already known to be JSON, hence needs to tell strings from numbers and nothing else. */
function quoteUnsafeIntegers(json: string): string {
  const parts: string[] = [];
  let copiedTo = 0;
  let at = 0;
  while (at < json.length) {
    if (json[at] === '"') {
      at = endOfString(json, at);
    } else if (isNumberStart(json[at])) {
      const end = endOfNumber(json, at);
      const token = json.slice(at, end);
      if (isUnsafeInteger(token)) {
        parts.push(json.slice(copiedTo, at), '"', token, '"');
        copiedTo = end;
      }
      at = end;
    } else {
      at += 1;
    }
  }
  return parts.join('') + json.slice(copiedTo);
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfNumber(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && '0123456789.eE+-'.includes(json[at]!)) at += 1;
  return at;
}

function isNumberStart(character: string | undefined): boolean {
  return character === '-' || (character !== undefined && character >= '0' && character <= '9');
}

function isUnsafeInteger(token: string): boolean {
  return /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
}
