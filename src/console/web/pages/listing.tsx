import { useState } from 'preact/hooks';
import { useApi } from '../hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Badge, Count, Facts, Heading, Section, Shown, type Tone } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { skuLink } from '../parts/levels';
import { type Column, Table } from '../parts/table';
import { Time } from '../parts/time';
import { linkTo } from '../route';
import type { Page } from '../types';
import { ListingState, type ListingView } from './sku-listings';
import { Steps, Waterfall, type WaterfallView } from './waterfall';
import '../parts/desk.css';

export const listingPage: ConsolePage = {
  path: '/listings/:channel/:channelSku',
  title: ({ channelSku }) => channelSku!,
  needs: 'channels:read',
  View: ({ params }) => <Listing channel={params.channel!} channelSku={params.channelSku!} />,
};

interface MappedListing extends ListingView {
  components: { sku: string; units: number }[];
  origin: 'file' | 'api';
  cap: number | null;
  bufferUnits: number | null;
  bufferPercent: number | null;
}

/** One listing: what it holds, how its number comes about, and everything its channel was told. */
function Listing({ channel, channelSku }: { channel: string; channelSku: string }) {
  const query = new URLSearchParams({ channelSku, limit: '1' }).toString();
  const found = useApi<Page<MappedListing>>(`/v1/channels/${encodeURIComponent(channel)}/listings?${query}`);
  const dirty = useLive().channels?.find(({ name }) => name === channel)?.dirty;
  return (
    <>
      <Heading title={channelSku} above={<a href={linkTo('/stock')}>Stock</a>}>
        A listing of {channel}.
      </Heading>
      <Shown
        of={found}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <p>
            Nobody has mapped it. <a href={linkTo('/mapping', { channel })}>Map it</a>
          </p>
        }
      >
        {({ items: [listing] }) => <Known listing={listing!} turn={dirty} />}
      </Shown>
    </>
  );
}

function Known({ listing, turn }: { listing: MappedListing; turn: number | undefined }) {
  const shows = listing.shown ?? listing.pushed;
  const { id, quantity, components, origin, cap, bufferUnits, bufferPercent } = listing;
  return (
    <>
      <Facts
        of={[
          ['Should show', <Count of={quantity} />],
          ['Shows', shows === null ? 'not known' : <Count of={shows} />],
          ['State', <ListingState listing={listing} />],
          [
            'Holds',
            components.map(({ sku, units }) => (
              <div key={sku}>
                {units} × <a href={skuLink(sku)}>{sku}</a>
              </div>
            )),
          ],
          ['Kept in', origin === 'file' ? 'the channel’s file' : 'this host (API, CLI, console)'],
          ['Cap of its own', cap],
          [
            'Buffer of its own',
            [bufferUnits, bufferPercent && `${bufferPercent} %`].filter(Boolean).join(', '),
          ],
        ]}
      />
      <Section title="How its number comes about" id="waterfall">
        <Waterfall id={id} />
      </Section>
      <Section title="What the channel was told" id="pushes">
        <PushTable key={turn} id={id} limit={100} />
      </Section>
    </>
  );
}

interface Push {
  id: string;
  channelLocation: string | null;
  quantity: number;
  previous: number | null;
  state: string;
  reason: string | null;
  receipt: string | null;
  trigger: string;
  waterfall: WaterfallView;
  sentAt: string;
  answeredAt: string | null;
  confirmedAt: string | null;
}

const STATES: Record<string, { tone: Tone; text: string }> = {
  sent: { tone: 'warn', text: 'sent' },
  accepted: { tone: 'warn', text: 'accepted' },
  applied: { tone: 'good', text: 'applied' },
  confirmed: { tone: 'good', text: 'confirmed' },
  rejected: { tone: 'bad', text: 'rejected' },
  stale: { tone: 'warn', text: 'stale' },
  failed: { tone: 'bad', text: 'failed' },
  superseded: { tone: 'plain', text: 'superseded' },
  observed: { tone: 'plain', text: 'only observed' },
};
const TRIGGERS: Record<string, string> = {
  change: 'stock changed',
  resync: 'sent anew',
  retry: 'tried again',
};

/** What was sent, newest first; each number leads to the waterfall that was stored with it. */
export function PushTable({ id, limit }: { id: number; limit: number }) {
  const pushes = useApi<Page<Push>>(`/v1/listings/${id}/pushes?limit=${limit}`);
  const [shown, setShown] = useState<Push>();
  const columns: Column<Push>[] = [
    { name: 'Sent', class: 'nowrap', of: ({ sentAt }) => <Time at={sentAt} /> },
    {
      name: 'Units',
      number: true,
      of: (push) => (
        <button
          type="button"
          class="link"
          aria-label={`${push.quantity} units: how they came about`}
          onClick={() => setShown(push)}
        >
          <Count of={push.quantity} />
        </button>
      ),
    },
    { name: 'Before', number: true, of: ({ previous }) => previous !== null && <Count of={previous} /> },
    {
      name: 'Came of it',
      of: ({ state, reason, channelLocation, trigger }) => (
        <>
          <Badge tone={STATES[state]?.tone ?? 'plain'}>{STATES[state]?.text ?? state}</Badge>{' '}
          <span class="quiet">
            {[TRIGGERS[trigger] ?? trigger, channelLocation && `at ${channelLocation}`, reason]
              .filter(Boolean)
              .join('; ')}
          </span>
        </>
      ),
    },
  ];
  return (
    <>
      <Shown of={pushes} isEmpty={({ items }) => items.length === 0} empty={<p>Nothing was sent yet.</p>}>
        {({ items }) => <Table label="Pushes" items={items} keyOf={(push) => push.id} columns={columns} />}
      </Shown>
      {shown && (
        <Dialog title={`Why ${shown.quantity} was sent`} onClose={() => setShown(undefined)}>
          <p class="quiet">
            <Time at={shown.sentAt} />
          </p>
          <Steps of={shown.waterfall} />
          <div class="buttons">
            <button type="button" onClick={() => setShown(undefined)}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
