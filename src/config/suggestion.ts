/** The candidate a person most likely meant, or undefined when none is close. */
export function suggest(written: string, candidates: readonly string[]): string | undefined {
  // Only the start can matter, and distance is quadratic: a pasted page must not stall the start-up.
  const target = normalise(written.slice(0, 64));
  const farthest = Math.max(1, Math.floor(target.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: editDistance(target, normalise(candidate)) }))
    .filter(({ edits }) => edits <= farthest)
    .sort((a, b) => a.edits - b.edits);
  return ranked[0]?.candidate;
}

/** `public_url`, `public-url` and `publicUrl` are one word written by three habits. */
function normalise(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '');
}

/** Levenshtein distance: insertions, deletions and replacements that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
