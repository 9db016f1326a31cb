import { ChannelProtocolError, ChannelRequestError } from 'onhand/channel-api';
import type { GenericRestClient, Query } from './generic-rest.client';
import { fieldOf, jsonText } from './generic-rest.fields';
import type { PagingOptions } from './generic-rest.options';

/** It goes into a URL, and all of one list are remembered. */
const LONGEST_CURSOR = 2_000;

/** A list of the shop to be read page by page. */
export interface Listing {
  path: string;
  itemsPath: string;
  paging: PagingOptions;
  /** The group of options it comes from, for messages. */
  option: 'read' | 'orders';
}

export interface RawPage {
  rows: unknown[];
  cursor?: string;
}

/**
 * Reads a list to its end, or on from a cursor. A counted list (`page`, `offset`) ends at its first empty
 * page, not at a short one: a shop may give fewer rows than we ask for. Throws `ChannelProtocolError` when
 * the list is not where the options say, or goes on without an end.
 */
export async function* readPages(
  client: GenericRestClient,
  listing: Listing,
  query: Query,
  cursor?: string,
): AsyncGenerator<RawPage> {
  const { paging } = listing;
  let position = cursor ?? firstPosition(paging);
  let previous: string | undefined;
  const seen = new Set<string>();
  let pages = 0;
  for (;;) {
    if (position !== undefined) seen.add(position);
    const body = await client.get({
      path: listing.path,
      option: `${listing.option}.path`,
      query: { ...query, ...pageQuery(paging, position) },
    });
    const rows = rowsOf(body, listing);
    const next = nextPosition(paging, position, rows.length, body, listing);
    const fingerprint = jsonText(rows);
    if (next !== undefined && (seen.has(next) || (rows.length > 0 && fingerprint === previous))) {
      throw new ChannelProtocolError(
        `GET ${listing.path} gives the same page again; check options.${listing.option}.paging`,
      );
    }
    yield { rows, ...(next === undefined ? {} : { cursor: next }) };
    if (next === undefined) return;
    pages += 1;
    if (pages >= paging.maxPages) {
      throw new ChannelProtocolError(
        `GET ${listing.path} goes on after ${pages} pages; where that is right, raise options.${listing.option}.paging.maxPages`,
      );
    }
    previous = fingerprint;
    position = next;
  }
}

/** The query for one page; without a position it is the first one. */
export function pageQuery(paging: PagingOptions, position: string | undefined): Query {
  if (paging.kind === 'none') return {};
  return {
    ...(paging.pageSizeParameter === '' ? {} : { [paging.pageSizeParameter]: String(paging.pageSize) }),
    ...(position === undefined ? {} : { [paging.parameter ?? paging.kind]: counted(paging, position) }),
  };
}

/** The list in an answer. Throws `ChannelProtocolError` when there is none. */
export function rowsOf(body: unknown, listing: Pick<Listing, 'path' | 'itemsPath' | 'option'>): unknown[] {
  const rows = fieldOf({ value: body, path: '' }, listing.itemsPath).value;
  if (Array.isArray(rows)) return rows;
  const place =
    listing.itemsPath === '' ? 'its answer is no list' : `its answer has no list at "${listing.itemsPath}"`;
  throw new ChannelProtocolError(`GET ${listing.path}: ${place}; check options.${listing.option}.itemsPath`);
}

function firstPosition(paging: PagingOptions): string | undefined {
  if (paging.kind === 'page') return String(paging.firstPage);
  return paging.kind === 'offset' ? '0' : undefined;
}

function nextPosition(
  paging: PagingOptions,
  position: string | undefined,
  rowCount: number,
  body: unknown,
  listing: Listing,
): string | undefined {
  if (paging.kind === 'none') return undefined;
  if (paging.kind === 'cursor') return cursorIn(body, paging, listing);
  if (rowCount === 0) return undefined;
  return String(Number(position) + (paging.kind === 'page' ? 1 : rowCount));
}

function cursorIn(body: unknown, paging: PagingOptions, listing: Listing): string | undefined {
  const { value } = fieldOf({ value: body, path: '' }, paging.nextCursorPath);
  if (value === undefined || value === null || value === '') return undefined;
  if ((typeof value === 'string' && value.length <= LONGEST_CURSOR) || typeof value === 'number')
    return String(value);
  throw new ChannelProtocolError(
    `GET ${listing.path}: "${paging.nextCursorPath}" is no cursor, a number or a text of at most ${LONGEST_CURSOR} characters; check options.${listing.option}.paging`,
  );
}

function counted(paging: PagingOptions, position: string): string {
  if (paging.kind === 'cursor' || /^\d{1,15}$/.test(position)) return position;
  throw new ChannelRequestError(
    `the cursor is not a number, as paging by ${paging.kind} needs; read from the start`,
  );
}
