import { useApi } from '../hooks';
import { useStockNews } from '../live';
import type { ConsolePage } from '../pages';
import { Heading } from '../parts/basics';
import { ChoiceFilter, Filters, TextFilter } from '../parts/filters';
import { levelColumns, type LevelView, skuLink } from '../parts/levels';
import { type Column, PagedTable, usePaged } from '../parts/table';
import { linkTo, useQuery } from '../route';
import type { Page } from '../types';
import '../parts/desk.css';

export const stockPage: ConsolePage = {
  path: '/stock',
  title: 'Stock',
  group: 'Stock',
  needs: 'stock:read',
  View: Stock,
};

export interface SkuStock {
  sku: string;
  name: string | null;
  barcode: string | null;
  tags: string[];
  total: LevelView;
  locations: ({ location: string } & LevelView)[];
}

/** Every SKU with what there is of it, a page at a time, however many there are. */
function Stock() {
  const [{ search, tag, atMost, by }] = useQuery();
  const most = atMost && /^-?\d{1,9}$/.test(atMost) ? atMost : undefined;
  const page = usePaged<SkuStock>('/v1/stock', { search, tag, atMost: most });
  const tags = useApi<Page<{ tag: string; skus: number }>>('/v1/tags');
  useStockNews(page.data?.items.map(({ sku }) => sku) ?? [], page.reload);
  const isFiltered = Boolean(search || tag || most);
  return (
    <>
      <Heading title="Stock">Each number leads to the events that made it.</Heading>
      <Filters>
        <TextFilter name="search" label="SKU, name or barcode" />
        <TextFilter name="atMost" label="Available at most" placeholder="any" />
        {(tags.data?.items.length ?? 0) > 0 && (
          <ChoiceFilter
            name="tag"
            label="Tag"
            choices={[
              { value: '', text: 'any' },
              ...tags.data!.items.map(({ tag: value, skus }) => ({ value, text: `${value} (${skus})` })),
            ]}
          />
        )}
        <ChoiceFilter
          name="by"
          label="Rows"
          choices={[
            { value: '', text: 'one for each SKU' },
            { value: 'location', text: 'one for each location' },
          ]}
        />
      </Filters>
      {by === 'location' ? (
        <PagedTable
          of={{ ...page, data: page.data && { ...page.data, items: page.data.items.flatMap(rowsOf) } }}
          label="Stock by location"
          keyOf={({ sku, location }) => `${sku}\n${location ?? ''}`}
          columns={BY_LOCATION}
          empty={<Nothing isFiltered={isFiltered} search={search} />}
        />
      ) : (
        <PagedTable
          of={page}
          label="Stock"
          keyOf={({ sku }) => sku}
          columns={BY_SKU}
          empty={<Nothing isFiltered={isFiltered} search={search} />}
        />
      )}
    </>
  );
}

interface PlacedRow {
  sku: string;
  name: string | null;
  tags: string[];
  location?: string;
  level: LevelView;
}

/** One that has been nowhere yet is still a row. */
function rowsOf({ sku, name, tags, total, locations }: SkuStock): PlacedRow[] {
  if (locations.length === 0) return [{ sku, name, tags, level: total }];
  return locations.map(({ location, ...level }) => ({ sku, name, tags, location, level }));
}

const BY_SKU: Column<SkuStock>[] = [
  { name: 'SKU', heading: true, of: (row) => <SkuCell of={row} /> },
  ...levelColumns<SkuStock>(
    ({ total }) => total,
    ({ sku }) => ({ sku }),
  ),
];

const BY_LOCATION: Column<PlacedRow>[] = [
  { name: 'SKU', heading: true, of: (row) => <SkuCell of={row} /> },
  { name: 'Location', of: ({ location }) => location ?? <span class="quiet">none yet</span> },
  ...levelColumns<PlacedRow>(
    ({ level }) => level,
    ({ sku, location }) => ({ sku, location }),
  ),
];

function SkuCell({ of: { sku, name, tags } }: { of: Pick<SkuStock, 'sku' | 'name' | 'tags'> }) {
  return (
    <>
      <a href={skuLink(sku)}>{sku}</a> <TagList of={tags} />
      {name && <span class="quiet">{name}</span>}
    </>
  );
}

export function TagList({ of }: { of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <span class="tags">
      {of.map((tag) => (
        <a key={tag} class="tag" href={linkTo('/stock', { tag })}>
          {tag}
        </a>
      ))}
    </span>
  );
}

function Nothing({ isFiltered, search }: { isFiltered: boolean; search?: string }) {
  if (!isFiltered)
    return (
      <p>
        There are no SKUs yet. Listings of a channel make those they name, or send them to{' '}
        <code>POST /v1/skus</code>; the <a href="/docs">API reference</a> has examples.
      </p>
    );
  return (
    <p>
      {search ? `No SKU has “${search}” in its code, name or barcode` : 'No SKU'}, and fits every filter.{' '}
      <a href={linkTo('/stock')}>Show all</a>
    </p>
  );
}
