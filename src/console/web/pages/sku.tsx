import { useEffect, useRef } from 'preact/hooks';
import { useApi } from '../hooks';
import { useLive, useStockNews } from '../live';
import type { ConsolePage } from '../pages';
import { Heading, Section, Shown } from '../parts/basics';
import { levelCells, levelColumns, type LevelView } from '../parts/levels';
import { type Moment, momentQuery, MomentPicker, useMoment } from '../parts/moment';
import { Table } from '../parts/table';
import { Tabs } from '../parts/tabs';
import { linkTo, useQuery } from '../route';
import { useMay } from '../session';
import type { Page } from '../types';
import { SkuEvents } from './sku-events';
import { ChannelListings } from './sku-listings';
import { SkuReservations } from './sku-reservations';
import { SkuWithheld } from './sku-withheld';
import { type SkuStock, TagList } from './stock';

export const skuPage: ConsolePage = {
  path: '/stock/:sku',
  title: ({ sku }) => sku!,
  needs: 'stock:read',
  View: ({ params }) => <Sku sku={params.sku!} />,
};

/** One SKU: what there is of it and where, what each channel shows of it and why, and every event that led here. */
function Sku({ sku }: { sku: string }) {
  const path = `/v1/stock/${encodeURIComponent(sku)}`;
  const moment = useMoment();
  const stock = useApi<SkuStock>(path);
  const then = useApi<SkuStock>(moment.settled && `${path}?${momentQuery(moment.settled)}`);
  const known = useApi<Page<{ createdAt: string }>>(`/v1/skus?sku=${encodeURIComponent(sku)}`);
  useStockNews([sku], stock.reload);
  const { name, barcode, tags } = stock.data ?? {};
  const shown = moment.settled ? then : stock;
  return (
    <>
      <Heading
        title={sku}
        above={<a href={linkTo('/stock')}>Stock</a>}
        actions={tags && <TagList of={tags} />}
      >
        {[name, barcode && `barcode ${barcode}`].filter(Boolean).join(', ') || undefined}
      </Heading>
      <MomentPicker moment={moment} since={known.data?.items[0]?.createdAt} />
      <Shown
        of={shown}
        isEmpty={({ locations }) => locations.length === 0}
        empty={
          <p>{moment.settled ? 'None of it has been here by then.' : 'None of it has been here yet.'}</p>
        }
      >
        {(level) => <Levels sku={sku} stock={level} moment={moment.settled} now={stock.data?.total} />}
      </Shown>
      <Listings sku={sku} />
      <History sku={sku} moment={moment.settled} />
    </>
  );
}

function Levels({
  sku,
  stock: { locations, total },
  moment,
  now,
}: {
  sku: string;
  stock: SkuStock;
  moment?: Moment;
  now?: LevelView;
}) {
  const when = moment ? new Date(moment.at).toLocaleString() : undefined;
  return (
    <Table
      label={when ? `Levels of ${when}` : 'Levels'}
      keyOf={({ location }) => location}
      items={locations}
      columns={[
        { name: 'Location', heading: true, of: ({ location }) => location },
        ...levelColumns<SkuStock['locations'][number]>(
          (level) => level,
          ({ location }) => ({ sku, location, moment }),
        ),
      ]}
      foot={
        <>
          {locations.length > 1 && (
            <tr class="total">
              <th scope="row">All</th>
              {levelCells(total, sku, moment)}
            </tr>
          )}
          {moment && now && (
            <tr class="quiet">
              <th scope="row">Now, all</th>
              {levelCells(now, sku)}
            </tr>
          )}
        </>
      }
    />
  );
}

function Listings({ sku }: { sku: string }) {
  const { channels } = useLive();
  const may = useMay('channels:read');
  return (
    <Section title="What the channels show" id="listings">
      {!may && (
        <p class="notice quiet">
          To see what channels show, sign in with a key that has the scope <code>channels:read</code>.
        </p>
      )}
      {channels?.length === 0 && <p class="notice empty">No channel is configured.</p>}
      {channels?.map(({ name }) => (
        <ChannelListings key={name} channel={name} sku={sku} />
      ))}
    </Section>
  );
}

/** What is behind the figures, one list at a time; a link from a figure brings its list into view. */
function History({ sku, moment }: { sku: string; moment?: Moment }) {
  const [{ show = 'events', ...filters }] = useQuery();
  const may = useMay('channels:read');
  const place = useRef<HTMLDivElement>(null);
  const asked = JSON.stringify([
    show,
    filters.type,
    filters.state,
    filters.location,
    filters.orderId,
    filters.reservationId,
  ]);
  const before = useRef('["events",null,null,null,null,null]');
  useEffect(() => {
    if (before.current !== asked && !place.current?.contains(document.activeElement))
      place.current?.scrollIntoView({ block: 'start' });
    before.current = asked;
  }, [asked]);
  return (
    <div ref={place}>
      <Tabs
        label="Behind the figures"
        keep={['at', 'as']}
        of={[
          { value: 'events', text: 'Events' },
          { value: 'reservations', text: 'Reservations' },
          ...(may ? [{ value: 'withheld', text: 'Withheld' }] : []),
        ]}
      />
      {show === 'reservations' ? (
        <SkuReservations sku={sku} />
      ) : show === 'withheld' && may ? (
        <SkuWithheld sku={sku} />
      ) : (
        <SkuEvents sku={sku} moment={moment} />
      )}
    </div>
  );
}
