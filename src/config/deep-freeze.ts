/** Freezes the value and all it reaches, in place, and returns it. Later writes throw a `TypeError`. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach((inner) => deepFreeze(inner));
  return value;
}
