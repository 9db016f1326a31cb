import { useState } from 'preact/hooks';
import { type Fetched, useApi } from '../hooks';
import { useLive, useStockNews } from '../live';
import type { ConsolePage } from '../pages';
import { Badge, Count, Shown } from '../parts/basics';
import { Time } from '../parts/time';
import type { LedgerEvent, ListingView, Page, Stock } from '../types';
import { LevelCells } from './stock';
import { Waterfall } from './waterfall';

export const skuPage: ConsolePage = {
  path: '/stock/:sku',
  title: ({ sku }) => sku!,
  needs: 'stock:read',
  View: ({ params }) => <Sku sku={params.sku!} />,
};

/** One SKU: what there is of it and where, what each channel shows of it and why, and every event that led here. */
function Sku({ sku }: { sku: string }) {
  const [asOf, setAsOf] = useState('');
  const path = `/v1/stock/${encodeURIComponent(sku)}`;
  const moment = asOf && `?asOf=${encodeURIComponent(new Date(asOf).toISOString())}`;
  const stock = useApi<Stock>(path + moment);
  const events = useApi<Page<LedgerEvent>>(`${path}/events?limit=50`);
  useStockNews([sku], () => {
    stock.reload();
    events.reload();
  });
  return (
    <>
      <p>
        <a href="#/stock">Stock</a>
      </p>
      <h1>{sku}</h1>
      <section>
        <header class="row">
          <h2 id="levels">{asOf ? 'Levels as they were' : 'Levels'}</h2>
          <label>
            As of{' '}
            <input
              type="datetime-local"
              value={asOf}
              step="1"
              onInput={(event) => setAsOf(event.currentTarget.value)}
            />
          </label>
          {asOf && (
            <button type="button" onClick={() => setAsOf('')}>
              Now
            </button>
          )}
        </header>
        <Levels stock={stock} />
      </section>
      <Listings sku={sku} />
      <section>
        <h2 id="events">Events</h2>
        <Events events={events} />
      </section>
    </>
  );
}

function Levels({ stock }: { stock: Fetched<Stock> }) {
  return (
    <Shown
      of={stock}
      isEmpty={({ locations }) => locations.length === 0}
      empty={<p>None of it has been here by then.</p>}
    >
      {({ locations, total }) => (
        <div class="scroll" role="region" aria-labelledby="levels" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Location</th>
                {[
                  'Available',
                  'Reserved',
                  'Quarantined',
                  'Damaged',
                  'Physical',
                  'In transit',
                  'On order',
                ].map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {locations.map((level) => (
                <tr key={level.location}>
                  <th scope="row">{level.location}</th>
                  <LevelCells of={level} />
                </tr>
              ))}
              {locations.length > 1 && (
                <tr class="total">
                  <th scope="row">All</th>
                  <LevelCells of={total} />
                </tr>
              )}
            </tbody>
          </table>
        </div>
      )}
    </Shown>
  );
}

function Listings({ sku }: { sku: string }) {
  const { channels } = useLive();
  return (
    <section>
      <h2 id="listings">What the channels show</h2>
      {channels?.map(({ name }) => (
        <ChannelListings key={name} channel={name} sku={sku} />
      ))}
    </section>
  );
}

function ChannelListings({ channel, sku }: { channel: string; sku: string }) {
  const listings = useApi<Page<ListingView>>(
    `/v1/channels/${encodeURIComponent(channel)}/listings?sku=${encodeURIComponent(sku)}`,
  );
  useStockNews([sku], listings.reload, 1_500);
  return (
    <Shown
      of={listings}
      isEmpty={({ items }) => items.length === 0}
      empty={
        <p>
          <strong>{channel}</strong> does not list it.
        </p>
      }
    >
      {({ items }) => items.map((listing) => <Listing key={listing.id} listing={listing} />)}
    </Shown>
  );
}

function Listing({ listing }: { listing: ListingView }) {
  const [open, setOpen] = useState(false);
  const { id, channel, channelSku, quantity, shown, pushed } = listing;
  const shows = shown ?? pushed;
  return (
    <details class="listing" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>{channel}</strong> {channelSku}: should show <Count of={quantity} />,{' '}
        {shows === null ? (
          'not known what it shows'
        ) : (
          <>
            shows <Count of={shows} />
          </>
        )}{' '}
        <ListingState listing={listing} />
      </summary>
      {open && <Waterfall id={id} />}
    </details>
  );
}

function ListingState({ listing: { dirty, parked, lastError, waits } }: { listing: ListingView }) {
  if (parked) return <Badge tone="bad">waits for a person: {lastError}</Badge>;
  if (waits) return <Badge tone="warn">waits for {waits.for}</Badge>;
  if (dirty) return <Badge tone="warn">on its way</Badge>;
  return <Badge tone="good">in step</Badge>;
}

function Events({ events }: { events: Fetched<Page<LedgerEvent>> }) {
  return (
    <Shown
      of={events}
      isEmpty={({ items }) => items.length === 0}
      empty={<p>Nothing has happened to it yet.</p>}
    >
      {({ items }) => (
        <div class="scroll" role="region" aria-labelledby="events" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Event</th>
                <th scope="col" class="number">
                  Units
                </th>
                <th scope="col">Location</th>
                <th scope="col">Why</th>
                <th scope="col" class="number">
                  Available after
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((event) => (
                <tr key={event.seq}>
                  <td>
                    <Time at={event.occurredAt} />
                  </td>
                  <td>{event.type}</td>
                  <td class="number">
                    <Count of={event.quantity} />
                  </td>
                  <td>{event.location}</td>
                  <td>{reasonOf(event)}</td>
                  <td class="number">
                    <Count of={event.after.available} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Shown>
  );
}

function reasonOf({ channel, orderId, reason, actor }: LedgerEvent): string {
  const order = channel && orderId ? `${channel}, order ${orderId}` : undefined;
  return [order, reason, order ? undefined : actor].filter(Boolean).join(': ');
}
