import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { type Fetched, useApi } from '../hooks';
import type { Page } from '../types';
import { Shown } from './basics';

export interface Column<T> {
  name: string;
  /** Figures stand at the right, under one another. */
  number?: boolean;
  /** The cell that names its row. */
  heading?: boolean;
  class?: string;
  of: (item: T) => ComponentChildren;
}

/** `label` names it for screen readers, and the region that scrolls where it is too wide. */
export function Table<T>({
  label,
  columns,
  items,
  keyOf,
  foot,
}: {
  label: string;
  columns: readonly Column<T>[];
  items: readonly T[];
  keyOf: (item: T) => string | number;
  /** Rows below the others, such as their sum. */
  foot?: ComponentChildren;
}) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map(({ name, number }) => (
              <th key={name} scope="col" class={number ? 'number' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)}>
              {columns.map((column) => (
                <Cell key={column.name} column={column} item={item} />
              ))}
            </tr>
          ))}
          {foot}
        </tbody>
      </table>
    </div>
  );
}

function Cell<T>({ column, item }: { column: Column<T>; item: T }) {
  const classes = [column.number && 'number', column.class].filter(Boolean).join(' ') || undefined;
  if (!column.heading) return <td class={classes}>{column.of(item)}</td>;
  return (
    <th scope="row" class={classes}>
      {column.of(item)}
    </th>
  );
}

export interface Paged<T> extends Fetched<Page<T>> {
  hasBefore: boolean;
  hasMore: boolean;
  before(): void;
  more(): void;
}

/** Reads a list of the API page by page. Another path or query begins at its first page. */
export function usePaged<T>(
  path: string,
  query: Record<string, string | undefined> = {},
  limit = 50,
): Paged<T> {
  const given = Object.entries({ ...query, limit: String(limit) }).filter(
    (entry): entry is [string, string] => Boolean(entry[1]),
  );
  const list = `${path}?${new URLSearchParams(given).toString()}`;
  const [position, setPosition] = useState<{ list: string; cursors: string[] }>({ list, cursors: [] });
  const cursors = useMemo(() => (position.list === list ? position.cursors : []), [position, list]);
  const cursor = cursors.at(-1);
  const fetched = useApi<Page<T>>(cursor ? `${list}&cursor=${encodeURIComponent(cursor)}` : list);
  const next = fetched.loading ? undefined : fetched.data?.nextCursor;
  return {
    ...fetched,
    hasBefore: cursors.length > 0,
    hasMore: next !== undefined,
    before: () => setPosition({ list, cursors: cursors.slice(0, -1) }),
    more: () => next && setPosition({ list, cursors: [...cursors, next] }),
  };
}

/** A list of the API: its rows, its pages, and what there is to say when it has none. */
export function PagedTable<T>({
  of,
  empty,
  ...table
}: {
  of: Paged<T>;
  empty: ComponentChildren;
  label: string;
  columns: readonly Column<T>[];
  keyOf: (item: T) => string | number;
}) {
  return (
    <Shown of={of} isEmpty={({ items }) => items.length === 0 && !of.hasBefore} empty={empty}>
      {({ items }) => (
        <>
          <Table {...table} items={items} />
          <Pages of={of} />
        </>
      )}
    </Shown>
  );
}

/** Left out where everything is on one page. */
export function Pages<T>({ of: { hasBefore, hasMore, before, more } }: { of: Paged<T> }) {
  if (!hasBefore && !hasMore) return null;
  return (
    <nav class="buttons" aria-label="Pages">
      <button type="button" disabled={!hasBefore} onClick={before}>
        Back
      </button>
      <button type="button" disabled={!hasMore} onClick={more}>
        More
      </button>
    </nav>
  );
}
