import { useStockNews } from '../live';
import { Badge, Count, type Tone } from '../parts/basics';
import { ChoiceFilter, Filters } from '../parts/filters';
import { skuLink } from '../parts/levels';
import { type Column, PagedTable, usePaged } from '../parts/table';
import { Time } from '../parts/time';
import { useQuery } from '../route';

interface SkuReservation {
  id: string;
  reference: string | null;
  channel: string | null;
  orderId: string | null;
  state: 'held' | 'confirmed' | 'fulfilled' | 'released' | 'expired';
  expiresAt: string | null;
  createdAt: string;
  openUnits: number;
  lines: { location: string | null; reserved: number; fulfilled: number; released: number }[];
}

const TONES: Record<SkuReservation['state'], Tone> = {
  held: 'warn',
  confirmed: 'good',
  fulfilled: 'plain',
  released: 'plain',
  expired: 'plain',
};

const EVENTS = { reserved: 'RESERVE', fulfilled: 'FULFILL', released: 'RELEASE' };

/** Who the units are promised to. Those that are open make the figure “Reserved”. */
export function SkuReservations({ sku }: { sku: string }) {
  const [{ state }] = useQuery();
  const isState = state === 'all' || (state !== undefined && state in TONES);
  const reservations = usePaged<SkuReservation>('/v1/reservations', {
    sku,
    state: isState ? state : undefined,
  });
  useStockNews([sku], reservations.reload);
  return (
    <>
      <Filters>
        <ChoiceFilter
          name="state"
          label="Reservations"
          choices={[
            { value: '', text: 'that hold units now' },
            { value: 'all', text: 'all' },
            ...Object.keys(TONES).map((value) => ({ value, text: value })),
          ]}
        />
      </Filters>
      <PagedTable
        of={reservations}
        label="Reservations"
        keyOf={({ id }) => id}
        columns={columnsFor(sku)}
        empty={<p>{isState ? 'There is none like that.' : 'None of it is promised to anybody.'}</p>}
      />
    </>
  );
}

function columnsFor(sku: string): Column<SkuReservation>[] {
  const sum = (lines: SkuReservation['lines'], units: 'reserved' | 'fulfilled' | 'released') =>
    lines.reduce((total, line) => total + line[units], 0);
  const units = (name: 'reserved' | 'fulfilled' | 'released'): Column<SkuReservation> => ({
    name: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    number: true,
    of: ({ id, lines }) => (
      <Count
        of={sum(lines, name)}
        to={skuLink(sku, { show: 'events', reservationId: id, type: EVENTS[name] })}
        names={`${name}: the events`}
      />
    ),
  });
  return [
    {
      name: 'For',
      heading: true,
      of: ({ id, channel, orderId, reference }) => (
        <a href={skuLink(sku, { show: 'events', reservationId: id })}>
          {channel && orderId
            ? `${channel}, order ${orderId}`
            : (reference ?? `reservation ${id.slice(0, 8)}`)}
        </a>
      ),
    },
    {
      name: 'State',
      of: ({ state, expiresAt }) => (
        <>
          <Badge tone={TONES[state]}>{state}</Badge>
          {state === 'held' && expiresAt && (
            <span class="quiet">
              {' '}
              until <Time at={expiresAt} />
            </span>
          )}
        </>
      ),
    },
    {
      name: 'Open',
      number: true,
      of: ({ id, openUnits }) => (
        <Count
          of={openUnits}
          to={skuLink(sku, { show: 'events', reservationId: id })}
          names="open: the events"
        />
      ),
    },
    units('reserved'),
    units('fulfilled'),
    units('released'),
    {
      name: 'Location',
      of: ({ lines }) => [...new Set(lines.flatMap(({ location }) => location ?? []))].join(', '),
    },
    { name: 'Since', class: 'nowrap', of: ({ createdAt }) => <Time at={createdAt} /> },
  ];
}
