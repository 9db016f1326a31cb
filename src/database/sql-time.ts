/** A time inside JSON that PostgreSQL builds, as this API writes times everywhere: UTC, to the millisecond. */
export function isoTime(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * Where a row stands in a list by time, for `placeOfCursor` to find again: to the microsecond, as exactly as PostgreSQL
 * keeps times, and by a UUID among those of one moment.
 */
export function placeInTime(time: string, id: string): string {
  return `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' ' || ${id}`;
}
