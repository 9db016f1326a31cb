import { useApi, useEvery } from '../hooks';
import type { ChannelStatus, Page } from '../types';
import { Asked } from './asked';
import { Count, Section, Shown } from './basics';
import { listingLink } from './listing-links';
import { type Column, Table } from './table';
import { Ago } from './time';

interface Queued {
  listingId: number;
  channelSku: string;
  since: string;
  waitsFor: 'answer' | 'orders' | 'retry' | 'turn';
  until: string | null;
  failures: number;
  lastError: string | null;
}

const SHOWN = 20;

/** What the channel has not taken yet, and what each waits for; shown while there is any, or it was asked for. */
export function QueueSection({
  channel: { name, dirty },
  isAsked,
}: {
  channel: ChannelStatus;
  isAsked: boolean;
}) {
  const isShown = dirty > 0 || isAsked;
  const queue = useApi<Page<Queued>>(
    isShown ? `/v1/channels/${encodeURIComponent(name)}/queue?limit=${SHOWN}` : undefined,
  );
  useEvery(2_000, queue.reload);
  if (!isShown) return null;
  return (
    <Asked name="queue">
      <Section id="queue" title="On their way">
        <Shown
          of={queue}
          isEmpty={({ items }) => items.length === 0}
          empty={<p>The channel has taken everything.</p>}
        >
          {({ items }) => (
            <>
              <Table
                label="Listings on their way"
                columns={columnsOf(name)}
                items={items}
                keyOf={({ listingId }) => listingId}
              />
              {dirty > SHOWN && <p class="quiet">The {SHOWN} that have waited longest.</p>}
            </>
          )}
        </Shown>
      </Section>
    </Asked>
  );
}

const WAITS: Record<Queued['waitsFor'], string> = {
  answer: 'the channel’s answer',
  orders: 'orders to be read first',
  retry: 'its next try',
  turn: 'its turn',
};

const columnsOf = (channel: string): Column<Queued>[] => [
  {
    name: 'Listing',
    heading: true,
    of: ({ channelSku }) => <a href={listingLink(channel, channelSku)}>{channelSku}</a>,
  },
  { name: 'Since', of: ({ since }) => <Ago at={since} /> },
  {
    name: 'Waits for',
    of: ({ waitsFor, until }) => (
      <>
        {WAITS[waitsFor]}
        {until && (
          <>
            , <Ago at={until} />
          </>
        )}
      </>
    ),
  },
  {
    name: 'Failures',
    number: true,
    of: ({ channelSku, failures }) => (
      <Count
        of={failures}
        to={listingLink(channel, channelSku, { show: 'pushes' })}
        names={`failures of ${channelSku}: what was sent`}
      />
    ),
  },
  { name: 'Last error', class: 'long', of: ({ lastError }) => lastError },
];
