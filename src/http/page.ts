import { Type } from 'class-transformer';
import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { MayBeAbsent } from './fields';
import { invalidRequest } from './validation';

/** `?limit=` (1 to 500), for the newest of a list that has no pages. */
export class LimitQuery {
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit: number = 100;
}

/** `?limit=` and the `?cursor=` that the page before answered. */
export class PageQuery extends LimitQuery {
  @MayBeAbsent()
  @IsString()
  @MaxLength(200)
  cursor?: string;
}

export interface PageOf<T> {
  items: T[];
  /** Absent on the last page. */
  nextCursor?: string;
}

/** `rows` holds one more than `limit` when there is another page; `positionOf` names where a row stands. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => number | string,
  itemOf: (row: Row) => T,
): PageOf<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    items: shown.map(itemOf),
    ...(more && { nextCursor: Buffer.from(String(positionOf(last))).toString('base64url') }),
  };
}

/** The largest id of a table whose ids are PostgreSQL integers; comparing with more is an error there. */
export const MAX_INTEGER_ID = 2 ** 31 - 1;

/** The number in a cursor, at most `largest`; throws a problem when it is none of ours. */
export function cursorNumber(cursor: string | undefined, largest = 1e15): number | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!/^\d{1,15}$/.test(text) || Number(text) > largest)
    throw invalidRequest([{ field: 'cursor', message: 'is not one that this API gave' }]);
  return Number(text);
}
