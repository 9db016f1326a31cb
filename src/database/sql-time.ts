/** A time inside JSON that PostgreSQL builds, as this API writes times everywhere: UTC, to the millisecond. */
export function isoTime(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
