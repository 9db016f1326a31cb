import { useState } from 'preact/hooks';
import { useApi } from '../hooks';
import { useStockNews } from '../live';
import { Badge, OwnCount, Shown } from '../parts/basics';
import { listingLink } from '../parts/listing-links';
import { Time } from '../parts/time';
import { linkTo } from '../route';
import type { Page } from '../types';
import { PushTable } from './listing';
import { Waterfall } from './waterfall';

export interface ListingView {
  id: number;
  channel: string;
  channelSku: string;
  quantity: number;
  pushed: number | null;
  shown: number | null;
  dirty: boolean;
  parked: boolean;
  lastError: string | null;
  waits: { for: string; until: string } | null;
}

/** What a channel shows of one of our SKUs, and behind each listing how its number comes about. */
export function ChannelListings({ channel, sku }: { channel: string; sku: string }) {
  const path = `/v1/channels/${encodeURIComponent(channel)}/listings?sku=${encodeURIComponent(sku)}`;
  const listings = useApi<Page<ListingView>>(path);
  useStockNews([sku], listings.reload, 1_500);
  return (
    <Shown
      of={listings}
      isEmpty={({ items }) => items.length === 0}
      empty={
        <p>
          {channel} has no listing of it. <a href={linkTo('/mapping', { channel })}>Map one</a>
        </p>
      }
    >
      {({ items }) => items.map((listing) => <ListingRow key={listing.id} listing={listing} />)}
    </Shown>
  );
}

function ListingRow({ listing }: { listing: ListingView }) {
  const [open, setOpen] = useState(false);
  const { id, channel, channelSku, quantity } = listing;
  return (
    <details class="listing" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>{channel}</strong> {channelSku}: should show <OwnCount of={quantity} as="opens" />,{' '}
        <Shows listing={listing} /> <ListingState listing={listing} />
      </summary>
      {open && (
        <>
          <div class="split">
            <Waterfall id={id} />
            <PushTable id={id} limit={5} />
          </div>
          <p>
            <a href={listingLink(channel, channelSku)}>All about this listing</a>
          </p>
        </>
      )}
    </details>
  );
}

function Shows({ listing: { shown, pushed } }: { listing: ListingView }) {
  const shows = shown ?? pushed;
  if (shows === null) return <>not known what it shows</>;
  return (
    <>
      shows <OwnCount of={shows} as="opens" />
    </>
  );
}

export function ListingState({ listing: { dirty, parked, lastError, waits } }: { listing: ListingView }) {
  if (parked) return <Badge tone="bad">waits for a person: {lastError}</Badge>;
  if (waits)
    return (
      <Badge tone="warn">
        waits for {waits.for} until <Time at={waits.until} />
      </Badge>
    );
  if (dirty) return <Badge tone="warn">on its way</Badge>;
  return <Badge tone="good">in step</Badge>;
}
