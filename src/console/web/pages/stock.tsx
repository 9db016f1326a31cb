import { useState } from 'preact/hooks';
import { useApi, useSettled } from '../hooks';
import { useStockNews } from '../live';
import type { ConsolePage } from '../pages';
import { Count, Shown } from '../parts/basics';
import type { Page, Stock } from '../types';

export const stockPage: ConsolePage = {
  path: '/stock',
  title: 'Stock',
  group: 'Stock',
  needs: 'stock:read',
  View: StockSearch,
};

function StockSearch() {
  const [text, setText] = useState('');
  const [cursors, setCursors] = useState<string[]>([]);
  const search = useSettled(text.trim(), 200);
  const query = new URLSearchParams({
    limit: '50',
    ...(search && { search }),
    ...(cursors.at(-1) && { cursor: cursors.at(-1)! }),
  });
  const page = useApi<Page<Stock>>(`/v1/stock?${query.toString()}`);
  useStockNews(page.data?.items.map(({ sku }) => sku) ?? [], page.reload);
  return (
    <>
      <h1>Stock</h1>
      <search>
        <label for="search">SKU, name or barcode</label>
        <input
          id="search"
          type="search"
          value={text}
          autofocus
          onInput={(event) => {
            setText(event.currentTarget.value);
            setCursors([]);
          }}
        />
      </search>
      <Shown
        of={page}
        isEmpty={({ items }) => items.length === 0}
        empty={search ? <p>No SKU has “{search}” in its code, name or barcode.</p> : <NoStock />}
      >
        {({ items, nextCursor }) => (
          <>
            <StockTable items={items} />
            <nav class="buttons" aria-label="Pages">
              <button
                type="button"
                disabled={cursors.length === 0}
                onClick={() => setCursors(cursors.slice(0, -1))}
              >
                Back
              </button>
              <button
                type="button"
                disabled={nextCursor === undefined}
                onClick={() => setCursors([...cursors, nextCursor!])}
              >
                More
              </button>
            </nav>
          </>
        )}
      </Shown>
    </>
  );
}

function NoStock() {
  return (
    <p>
      There are no SKUs yet. Listings of a channel make those they name, or send them to{' '}
      <code>POST /v1/skus</code>; the <a href="/docs">API reference</a> has examples.
    </p>
  );
}

function StockTable({ items }: { items: Stock[] }) {
  return (
    <div class="scroll" role="region" aria-label="Stock" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">SKU</th>
            {['Available', 'Reserved', 'Quarantined', 'Damaged', 'Physical', 'In transit', 'On order'].map(
              (name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {items.map(({ sku, total }) => (
            <tr key={sku}>
              <th scope="row">
                <a href={`#/stock/${encodeURIComponent(sku)}`}>{sku}</a>
              </th>
              <LevelCells of={total} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function LevelCells({ of }: { of: Stock['total'] }) {
  const figures = [
    of.available,
    of.reserved,
    of.quarantined,
    of.damaged,
    of.physical,
    of.inTransit,
    of.onOrder,
  ];
  return (
    <>
      {figures.map((units, index) => (
        <td key={index} class={`number ${units < 0 ? 'bad' : ''}`}>
          <Count of={units} />
        </td>
      ))}
    </>
  );
}
