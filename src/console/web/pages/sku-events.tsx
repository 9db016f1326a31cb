import { useStockNews } from '../live';
import { Badge, OwnCount } from '../parts/basics';
import { ChoiceFilter, Filters, TextFilter } from '../parts/filters';
import { type LevelView, skuLink, STATE_NAMES } from '../parts/levels';
import type { Moment } from '../parts/moment';
import { type Column, PagedTable, usePaged } from '../parts/table';
import { Time } from '../parts/time';
import { useQuery } from '../route';

export interface LedgerEvent {
  seq: number;
  type: string;
  sku: string;
  location: string;
  from: string;
  to: string;
  quantity: number;
  after: LevelView;
  counterpartLocation: string | null;
  channel: string | null;
  orderId: string | null;
  reservationId: string | null;
  reference: string | null;
  reason: string | null;
  actor: string;
  occurredAt: string;
  recordedAt: string;
}

const TYPES = [
  ...['RESTOCK', 'RESERVE', 'RELEASE', 'FULFILL', 'RETURN', 'INSPECT'],
  ...['ADJUST', 'DAMAGE', 'TRANSFER', 'RECEIVE', 'EXPECT'],
];
const FILTERS = ['type', 'state', 'location', 'channel', 'orderId', 'reservationId'] as const;

/** What happened to a SKU, newest first: all of it, or what made one figure what it is, up to a moment where one is shown. */
export function SkuEvents({ sku, moment }: { sku: string; moment?: Moment }) {
  const [query, change] = useQuery();
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query[name]]));
  const events = usePaged<LedgerEvent>(`/v1/stock/${encodeURIComponent(sku)}/events`, {
    ...filter,
    ...(moment && { [moment.as === 'known' ? 'knownAt' : 'asOf']: moment.at }),
  });
  useStockNews([sku], events.reload);
  const isFiltered = FILTERS.some((name) => query[name]);
  return (
    <>
      <Filters>
        <ChoiceFilter
          name="type"
          label="Event"
          choices={[{ value: '', text: 'any' }, ...TYPES.map((type) => ({ value: type, text: type }))]}
        />
        <ChoiceFilter
          name="state"
          label="Changes"
          choices={[{ value: '', text: 'any figure' }, ...STATE_NAMES]}
        />
        <TextFilter name="location" label="Location" />
        <TextFilter name="channel" label="Channel" />
        <TextFilter name="orderId" label="Order" />
        {isFiltered && (
          <button
            type="button"
            onClick={() => change(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}
          >
            All events
          </button>
        )}
      </Filters>
      {query.reservationId && (
        <p class="quiet">
          Those of the reservation <code>{query.reservationId}</code>.
        </p>
      )}
      {moment && (
        <p class="quiet">
          Those that {moment.as === 'known' ? 'were recorded' : 'had happened'} by <Time at={moment.at} />.
        </p>
      )}
      <PagedTable
        of={events}
        label="Events"
        keyOf={({ seq }) => seq}
        columns={columnsFor(sku)}
        empty={
          <p>
            {isFiltered
              ? 'No event fits every filter.'
              : moment
                ? 'Nothing had happened to it by then.'
                : 'Nothing has happened to it yet.'}
          </p>
        }
      />
    </>
  );
}

function columnsFor(sku: string): Column<LedgerEvent>[] {
  return [
    {
      name: 'When',
      class: 'nowrap',
      of: ({ occurredAt, recordedAt }) => (
        <>
          <Time at={occurredAt} />
          {Date.parse(recordedAt) - Date.parse(occurredAt) > 60_000 && (
            <span class="quiet why">
              known <Time at={recordedAt} />
            </span>
          )}
        </>
      ),
    },
    { name: 'Event', heading: true, of: ({ type }) => type },
    { name: 'Units', number: true, of: ({ quantity }) => <OwnCount of={quantity} as="recorded" /> },
    {
      name: 'Moved',
      of: ({ from, to }) => (
        <span class="quiet">
          {words(from)} → {words(to)}
        </span>
      ),
    },
    {
      name: 'Location',
      of: ({ location, counterpartLocation }) => (
        <>
          {location}
          {counterpartLocation && <span class="quiet"> ({counterpartLocation})</span>}
        </>
      ),
    },
    { name: 'Why', class: 'long', of: (event) => <Why sku={sku} of={event} /> },
    {
      name: 'Available after',
      number: true,
      of: ({ after }) => <OwnCount of={after.available} as="recorded" />,
    },
  ];
}

function Why({ sku, of }: { sku: string; of: LedgerEvent }) {
  const { channel, orderId, reservationId, reason, reference, actor } = of;
  const order = channel && orderId && (
    <a href={skuLink(sku, { show: 'events', channel, orderId })}>
      {channel}, order {orderId}
    </a>
  );
  const reservation = !order && reservationId && (
    <a href={skuLink(sku, { show: 'events', reservationId })}>{reference ?? 'a reservation'}</a>
  );
  return (
    <>
      {order || reservation || (reference && <Badge tone="plain">{reference}</Badge>)} {reason}{' '}
      {!order && <span class="quiet">by {actor}</span>}
    </>
  );
}

function words(state: string): string {
  return state.replace('_', ' ');
}
