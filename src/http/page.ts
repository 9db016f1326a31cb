import { Type } from 'class-transformer';
import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { MayBeAbsent } from './fields';
import type { Problem } from './problem';
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

/** Where a row stands in a list by time: `placeInTime` writes it. */
export interface PlaceInTime {
  at: string;
  id: string;
}

/** Before the first row of a list whose newest comes first. */
export const NEWEST: PlaceInTime = { at: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };

const PLACE = /^([12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{6}Z) ([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;

/** The place in a cursor, `NEWEST` without one; throws a problem when it is none of ours. */
export function placeOfCursor(cursor: string | undefined): PlaceInTime {
  if (cursor === undefined) return NEWEST;
  const [, second, fraction, id] = PLACE.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  const at = `${second}${fraction}`;
  // The 31st of June has the form of a time, and PostgreSQL reads it as none.
  const isTime = !Number.isNaN(Date.parse(at)) && new Date(at).toISOString().startsWith(second!);
  if (!isTime) throw foreignCursor();
  return { at, id: id! };
}

/** The number in a cursor, at most `largest`; throws a problem when it is none of ours. */
export function cursorNumber(cursor: string | undefined, largest = 1e15): number | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!/^\d{1,15}$/.test(text) || Number(text) > largest) throw foreignCursor();
  return Number(text);
}

function foreignCursor(): Problem {
  return invalidRequest([{ field: 'cursor', message: 'is not one that this API gave' }]);
}
