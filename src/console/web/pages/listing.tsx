import { useEffect, useState } from 'preact/hooks';
import { useApi } from '../hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Asked } from '../parts/asked';
import { Badge, Facts, Heading, OwnCount, Section, Shown, type Tone } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { listingsLink } from '../parts/listing-links';
import { type Column, PagedTable, usePaged } from '../parts/table';
import { Ago, Time } from '../parts/time';
import { linkTo } from '../route';
import type { Page } from '../types';
import { Holds } from './listings';
import { ListingState, type ListingView } from './sku-listings';
import { Steps, Waterfall, type WaterfallView } from './waterfall';
import '../parts/desk.css';

export const listingPage: ConsolePage = {
  path: '/listings/:channel/:channelSku',
  title: ({ channelSku }) => channelSku!,
  needs: 'channels:read',
  View: ({ params }) => <Listing channel={params.channel!} channelSku={params.channelSku!} />,
};

export interface MappedListing extends ListingView {
  shownAt: string | null;
  pushedAt: string | null;
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
      <Heading title={channelSku} above={<a href={listingsLink(channel)}>Listings of {channel}</a>}>
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
  const { id, quantity, components, origin, cap, bufferUnits, bufferPercent } = listing;
  return (
    <>
      <Facts
        of={[
          ['Should show', <OwnCount of={quantity} as="listed" />],
          ['Shows', <Shows of={listing} />],
          ['State', <ListingState listing={listing} />],
          ['Holds', <Holds of={components} />],
          ['Kept in', origin === 'file' ? 'the channel’s file' : 'this host (API, CLI, console)'],
          ['Cap of its own', cap === null ? null : <OwnCount of={cap} as="set" />],
          [
            'Buffer of its own',
            [bufferUnits, bufferPercent && `${bufferPercent} %`].filter(Boolean).join(', '),
          ],
        ]}
      />
      <Section title="How its number comes about" id="waterfall">
        <Waterfall id={id} />
      </Section>
      <Asked name="pushes">
        <Section title="What the channel was told" id="pushes">
          <PushTable turn={turn} id={id} limit={50} />
        </Section>
      </Asked>
    </>
  );
}

/** As the channel last said itself, or else as it took what it was told. */
function Shows({ of: { shown, shownAt, pushed, pushedAt } }: { of: MappedListing }) {
  const units = shown ?? pushed;
  const at = shown === null ? pushedAt : shownAt;
  if (units === null) return <>not known</>;
  return (
    <>
      <OwnCount of={units} as="listed" />
      {at && (
        <span class="quiet">
          , {shown === null ? 'as it took it' : 'as of'} <Ago at={at} />
        </span>
      )}
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
export function PushTable({ id, limit, turn }: { id: number; limit: number; turn?: number }) {
  const pushes = usePaged<Push>(`/v1/listings/${id}/pushes`, {}, limit);
  useEffect(pushes.reload, [turn, pushes.reload]);
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
          <OwnCount of={push.quantity} as="opens" />
        </button>
      ),
    },
    {
      name: 'Before',
      number: true,
      of: ({ previous }) => previous !== null && <OwnCount of={previous} as="listed" />,
    },
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
      <PagedTable
        of={pushes}
        label="Pushes"
        keyOf={(push) => push.id}
        columns={columns}
        empty={<p>Nothing was sent yet.</p>}
      />
      {shown && (
        <Dialog title={`Why ${shown.quantity} was sent`} onClose={() => setShown(undefined)}>
          <p class="quiet">
            <Time at={shown.sentAt} />
          </p>
          <Steps of={shown.waterfall} knownAt={shown.sentAt} />
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
