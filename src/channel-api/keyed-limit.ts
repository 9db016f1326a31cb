import type { UsedUpQuota } from './errors';

/** No name that a plugin declares needs it, and a key may contain it. */
const BEFORE_KEY = '#';

/** Under which name a limiter counts a declared limit for one key. */
export function keyedName(name: string, key: string): string {
  return `${name}${BEFORE_KEY}${key}`;
}

/** The declared limit of a name that a limiter counts under. */
export function declaredName(name: string): string {
  return name.split(BEFORE_KEY, 1)[0]!;
}

export function isKeyed(name: string): boolean {
  return name.includes(BEFORE_KEY);
}

export function usedUpQuota({ limit, waitMs }: { limit: string; waitMs: number }): UsedUpQuota {
  if (!isKeyed(limit)) return { name: limit, waitMs };
  const name = declaredName(limit);
  return { name, key: limit.slice(name.length + BEFORE_KEY.length), waitMs };
}
