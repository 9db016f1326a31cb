import type { ConsolePage } from '../pages';
import { Count, Heading, OwnCount } from '../parts/basics';
import { channelLink } from '../parts/channel-state';
import { Filters, TextFilter } from '../parts/filters';
import { skuLink } from '../parts/levels';
import { listingLink } from '../parts/listing-links';
import { type Column, PagedTable, usePaged } from '../parts/table';
import { useQuery } from '../route';
import type { MappedListing } from './listing';
import { ListingState } from './sku-listings';
import '../parts/desk.css';

export const listingsPage: ConsolePage = {
  path: '/listings/:channel',
  title: ({ channel }) => `Listings of ${channel}`,
  needs: 'channels:read',
  View: ({ params }) => <Listings channel={params.channel!} />,
};

/** Everything that a channel sells of our stock, a page at a time. */
function Listings({ channel }: { channel: string }) {
  const [{ sku, channelSku }] = useQuery();
  const listings = usePaged<MappedListing>(`/v1/channels/${encodeURIComponent(channel)}/listings`, {
    sku,
    channelSku,
  });
  return (
    <>
      <Heading title={`Listings of ${channel}`} above={<a href={channelLink(channel)}>{channel}</a>}>
        What the channel sells of our stock, what it should show of it, and what it shows.
      </Heading>
      <Filters>
        <TextFilter name="channelSku" label="Listing, its whole code" />
        <TextFilter name="sku" label="Our SKU, its whole code" />
      </Filters>
      <PagedTable
        of={listings}
        label="Listings"
        keyOf={({ id }) => id}
        columns={COLUMNS}
        empty={
          <p>{sku || channelSku ? 'There is none like that.' : 'Nobody has mapped a listing of it yet.'}</p>
        }
      />
    </>
  );
}

const COLUMNS: Column<MappedListing>[] = [
  {
    name: 'Listing',
    heading: true,
    of: ({ channel, channelSku }) => <a href={listingLink(channel, channelSku)}>{channelSku}</a>,
  },
  { name: 'Holds', of: ({ components }) => <Holds of={components} /> },
  {
    name: 'Should show',
    number: true,
    of: ({ channel, channelSku, quantity }) => (
      <Count
        of={quantity}
        to={listingLink(channel, channelSku)}
        names={`of ${channelSku} should be shown: how that comes about`}
        always
        quiet
      />
    ),
  },
  {
    name: 'Shows',
    number: true,
    of: ({ channel, channelSku, shown, pushed }) => {
      const shows = shown ?? pushed;
      if (shows === null) return <span class="quiet">not known</span>;
      const to = listingLink(channel, channelSku, { show: 'pushes' });
      return <Count of={shows} to={to} names={`of ${channelSku} shown: what it was told`} always quiet />;
    },
  },
  { name: 'State', of: (listing) => <ListingState listing={listing} /> },
];

export function Holds({ of }: { of: MappedListing['components'] }) {
  return (
    <>
      {of.map(({ sku, units }) => (
        <div key={sku}>
          <OwnCount of={units} as="set" /> × <a href={skuLink(sku)}>{sku}</a>
        </div>
      ))}
    </>
  );
}
