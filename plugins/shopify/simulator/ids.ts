/** Shopify's global ids, `gid://shopify/Order/820982911946154508`; a level's carries its item in a query. */
export function gid(type: string, id: string): string {
  return `gid://shopify/${type}/${id}`;
}

/** The id within a global id of this type; undefined where it is none. */
export function idOf(type: string, globalId: unknown): string | undefined {
  const start = gid(type, '');
  return typeof globalId === 'string' && globalId.startsWith(start)
    ? globalId.slice(start.length)
    : undefined;
}

/** As Shopify's own samples have them: beyond 2^53, where a double tells no two neighbours apart. */
export class IdSequence {
  private last = 820_982_911_946_150_000n;

  next(): string {
    this.last += 1n;
    return String(this.last);
  }
}

/** An id as JSON has it: a number where a double holds it; a longer one loses its quotes on the wire. */
export function jsonId(id: string): number | string {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : id;
}
