/** The end of a span of so many seconds, at or before the moment. */
export function floorTo(ms: number, seconds: number): number {
  return Math.floor(ms / (seconds * 1000)) * seconds * 1000;
}

/** The end of a span of so many seconds, at or after the moment. */
export function ceilTo(ms: number, seconds: number): number {
  return Math.ceil(ms / (seconds * 1000)) * seconds * 1000;
}
