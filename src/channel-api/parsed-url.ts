/**
 * The absolute URL in a text; undefined where there is none. `URL.canParse` is not used: once Node 20 has optimized a
 * call of it, it refuses URLs with Latin-1 letters in them, such as `http://müller.example/`.
 */
export function parsedUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
