import { useApi } from '../hooks';
import { useStockNews } from '../live';
import { Count, OwnCount, Section, Shown } from '../parts/basics';
import { kpiLink } from '../parts/kpi-words';
import { skuLink } from '../parts/levels';
import { Table } from '../parts/table';
import { ScopeNote } from '../session';
import { type BufferChange, HistoryTable } from './buffer-history';
import { type Hold, HoldTable, PlaceHold } from './buffer-holds';
import type { Page } from '../types';
import { bufferLink } from './waterfall';
import { listingLink } from '../parts/listing-links';

interface Explained {
  sku: string;
  tags: string[];
  sales: { location: string; hourUnits: number; usualPerHour: number; knownHours: number }[];
  channels: { channel: string; syncP99Ms: number | null; cancelPercent: number; confirmationMs: number }[];
  items: {
    listingId: number;
    channel: string;
    channelSku: string;
    quantity: number;
    components: { sku: string; buffers: { kind: string; units: number; policy: string; reason: string }[] }[];
  }[];
}

/** What is withheld of a SKU, from which channel, and why: rules, sales, what channels are like, and people. */
export function SkuWithheld({ sku }: { sku: string }) {
  const explained = useApi<Explained>(`/v1/buffers?sku=${encodeURIComponent(sku)}`);
  const holds = useApi<Page<Hold>>('/v1/buffers/holds');
  const history = useApi<Page<BufferChange>>(`/v1/buffers/history?sku=${encodeURIComponent(sku)}&limit=50`);
  const reload = () => {
    explained.reload();
    holds.reload();
    history.reload();
  };
  useStockNews([sku], explained.reload, 1_500);
  const own = holds.data && { items: holds.data.items.filter((hold) => hold.sku === sku) };
  return (
    <>
      <Shown of={explained}>{(data) => <Explanation of={data} />}</Shown>
      <Section title="Holds" id="holds" beside={<PlaceHold sku={sku} onDone={reload} />}>
        <ScopeNote needs="channels:write" to="withhold units or end a hold" />
        <Shown
          of={{ ...holds, data: own }}
          isEmpty={({ items }) => items.length === 0}
          empty={<p>Nobody withholds any of it by hand.</p>}
        >
          {({ items }) => <HoldTable items={items} onDone={reload} />}
        </Shown>
      </Section>
      <Section title="What changed" id="changes">
        <HistoryTable of={history} />
      </Section>
    </>
  );
}

function Explanation({ of: { sku, items, sales, channels } }: { of: Explained }) {
  const rows = items.flatMap(({ channel, channelSku, components }) =>
    components
      .filter((component) => component.sku === sku)
      .flatMap(({ buffers }) => buffers.map((buffer) => ({ ...buffer, channel, channelSku }))),
  );
  return (
    <>
      {rows.length === 0 ? (
        <p class="notice empty">Nothing is withheld of it now.</p>
      ) : (
        <Table
          label="Withheld now"
          items={rows}
          keyOf={({ channel, channelSku, kind, policy }) => `${channel} ${channelSku} ${kind} ${policy}`}
          columns={[
            {
              name: 'Listing',
              heading: true,
              of: ({ channel, channelSku }) => (
                <a href={listingLink(channel, channelSku)}>
                  {channel} {channelSku}
                </a>
              ),
            },
            {
              name: 'Units',
              number: true,
              of: (buffer) => (
                <Count of={buffer.units} to={bufferLink(sku, buffer)} names={`withheld: ${buffer.reason}`} />
              ),
            },
            { name: 'Kind', of: ({ kind }) => kind },
            { name: 'Why', class: 'long', of: ({ reason }) => reason },
          ]}
        />
      )}
      <p class="quiet">
        {sales.length === 0 && 'No sales of it are counted yet. '}
        {sales.map(({ location, hourUnits, usualPerHour }) => (
          <span key={location}>
            At {location} it sold{' '}
            <Count
              of={hourUnits}
              text={short(hourUnits)}
              to={skuLink(sku, { show: 'events', type: 'RESERVE', location })}
              names={`sold at ${location}: the events`}
            />{' '}
            in the last hour, usually <OwnCount of={usualPerHour} text={short(usualPerHour)} as="tally" /> an
            hour.{' '}
          </span>
        ))}
        {channels.map((each) => (
          <ChannelHabits key={each.channel} of={each} />
        ))}
      </p>
    </>
  );
}

/** How late a channel is and tells of what it sold, by its key figures. */
function ChannelHabits({
  of: { channel, syncP99Ms, cancelPercent, confirmationMs },
}: {
  of: Explained['channels'][number];
}) {
  const latency = syncP99Ms === null ? null : syncP99Ms / 1000;
  return (
    <span>
      {channel}:{' '}
      {latency === null ? (
        'sync latency not measured yet'
      ) : (
        <>
          P99 sync latency{' '}
          <Count
            of={latency}
            text={`${short(latency)} s`}
            to={kpiLink('sync_latency_p99_seconds', { channel })}
            names={`of ${channel}: its latencies`}
          />
        </>
      )}
      ,{' '}
      <Count
        of={cancelPercent}
        text={`${short(cancelPercent)} %`}
        to={kpiLink('stock_cancellations', { channel, window: '30d' })}
        names={`of ${channel}: its cancellations`}
      />{' '}
      cancelled late, tells of orders after{' '}
      <OwnCount of={confirmationMs} text={`${short(confirmationMs / 1000)} s`} as="tally" />.{' '}
    </span>
  );
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
