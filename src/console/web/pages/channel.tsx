import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Count, Facts, Heading, OwnCount, Reading, Section, Shown } from '../parts/basics';
import { Asked } from '../parts/asked';
import { BreakerSection } from '../parts/channel-breaker';
import { ChannelActions } from '../parts/channel-actions';
import { ConsentSection } from '../parts/channel-consent';
import { ComparisonSection } from '../parts/channel-comparisons';
import { Behind, ChannelStateBadge, LimitBar, queueLink, useLimits } from '../parts/channel-state';
import { KeyFigures } from '../parts/key-figures';
import { listingsLink } from '../parts/listing-links';
import { type Column, Table } from '../parts/table';
import { Ago, duration } from '../parts/time';
import { linkTo, useQuery } from '../route';
import { ScopeNote } from '../session';
import type { ChannelStatus, LimitLevel } from '../types';
import { QueueSection } from '../parts/channel-queue';

export const channelPage: ConsolePage = {
  path: '/channels/:name',
  title: ({ name }) => name!,
  needs: 'channels:read',
  View: ({ params }) => <OneChannel name={params.name!} />,
};

/** One channel: how it is, what holds it up, and what can be done about it. */
function OneChannel({ name }: { name: string }) {
  const { channels } = useLive();
  if (!channels) return <Reading />;
  const channel = channels.find((each) => each.name === name);
  if (!channel)
    return (
      <>
        <Heading title={name} above={<a href="#/channels">Channels</a>} />
        <div class="notice">
          <p>
            No channel of that name is configured. Channels are named in <code>onhand.yaml</code>.
          </p>
        </div>
      </>
    );
  return <ChannelShown channel={channel} />;
}

const MODES: Record<ChannelStatus['mode'], string> = {
  live: 'All of its listings are pushed.',
  pilot: 'Only listings of the pilot’s SKUs are pushed; the others are computed and noted.',
  observe: 'Nothing is changed outside: what would be pushed is computed and noted.',
};

function ChannelShown({ channel }: { channel: ChannelStatus }) {
  const { name, plugin, pluginVersion, mode } = channel;
  const [{ show }] = useQuery();
  return (
    <>
      <Heading
        title={name}
        above={<a href="#/channels">Channels</a>}
        actions={<ChannelActions channel={channel} />}
      />
      <ScopeNote needs="channels:write" to="pause it, hold its breaker or compare it" />
      <div class="card">
        <p>
          <ChannelStateBadge channel={channel} />
        </p>
        <Facts
          of={[
            ['Plugin', `${plugin.split('/').at(-1)} ${pluginVersion ?? ''}`],
            [
              'Mode',
              <>
                {mode}
                <span class="quiet why">
                  {MODES[mode]} Set by <code>mode</code> in onhand.yaml.
                </span>
              </>,
            ],
            ['Behind', <Behind channel={channel} />],
            ['Queue', <Count of={channel.dirty} to={queueLink(name)} names="on their way" />],
            [
              'Listings',
              <Count of={channel.listings} to={listingsLink(name)} names={`listings of ${name}`} />,
            ],
            ['Parked', <Parked channel={channel} />],
            [
              'Short',
              <Count
                of={channel.openShortfalls}
                to={linkTo('/oversells', { channel: name })}
                names="order lines"
              />,
            ],
            ['Orders read', <Polls channel={channel} />],
            ['Webhooks', <Webhooks channel={channel} />],
          ]}
        />
      </div>
      {channel.consents && <ConsentSection channel={name} />}
      <QueueSection channel={channel} isAsked={show === 'queue'} />
      {channel.state === 'ready' && (
        <Asked name="limits">
          <Limits channel={name} />
        </Asked>
      )}
      <BreakerSection channel={channel} />
      {channel.state === 'ready' && <ComparisonSection channel={name} />}
      <KeyFigures channel={name} />
    </>
  );
}

function Parked({ channel }: { channel: ChannelStatus }) {
  const { name, parkedListings, parkedLines, parkedOrders, inbox } = channel;
  return (
    <Count
      of={parkedListings + parkedLines + parkedOrders + inbox.parked}
      to={linkTo('/parked', { channel: name })}
      names="waiting for a person"
    />
  );
}

function Polls({ channel: { orderPolls } }: { channel: ChannelStatus }) {
  if (!orderPolls) return <span class="quiet">it is not polled</span>;
  const { coveredAt, failingSince, error } = orderPolls;
  return (
    <>
      {coveredAt ? (
        <>
          up to <Ago at={coveredAt} />
        </>
      ) : (
        'not yet'
      )}
      {failingSince && (
        <span class="bad why">
          failing since <Ago at={failingSince} />: {error}
        </span>
      )}
    </>
  );
}

function Webhooks({ channel: { subscription, inbox } }: { channel: ChannelStatus }) {
  return (
    <>
      {inbox.received > 0 ? (
        <>
          <OwnCount of={inbox.received} as="tally" /> waiting
        </>
      ) : (
        'none waits'
      )}
      {subscription && (
        <span class="quiet why">
          {subscription.error
            ? `cannot subscribe: ${subscription.error}`
            : subscription.subscribedAt
              ? `sent to ${subscription.url}`
              : 'not subscribed yet'}
        </span>
      )}
    </>
  );
}

function Limits({ channel }: { channel: string }) {
  const limits = useLimits(channel);
  return (
    <Section id="limits" title="Call limits">
      <Shown of={limits} isEmpty={({ items }) => items.length === 0} empty={<p>Its plugin declares none.</p>}>
        {({ items }) => (
          <Table label="Call limits" columns={LIMIT_COLUMNS} items={items} keyOf={({ name }) => name} />
        )}
      </Shown>
    </Section>
  );
}

const LIMIT_COLUMNS: Column<LimitLevel>[] = [
  { name: 'Limit', heading: true, of: ({ name }) => name },
  { name: 'Takes', of: limitText },
  { name: 'Left now', class: 'limits', of: (limit) => <LimitBar limit={limit} /> },
  {
    name: 'Units',
    number: true,
    of: ({ left, most }) => (
      <>
        <OwnCount of={left} as="recorded" /> of <OwnCount of={most} as="recorded" />
      </>
    ),
  },
  { name: 'Under way', number: true, of: ({ underWay }) => <OwnCount of={underWay} as="recorded" /> },
  {
    name: 'Learned',
    of: ({ learned }) => {
      const said = Object.entries(learned).map(([name, value]) => `${name} ${value}`);
      return said.length > 0 ? `the channel said ${said.join(', ')}` : <span class="quiet">as declared</span>;
    },
  },
  { name: 'Last used', of: ({ usedAt }) => usedAt && <Ago at={usedAt} /> },
];

function limitText({ kind, most, perSecond, windowSeconds, resetsAtUtc }: LimitLevel): string {
  if (kind === 'rolling') return `${most} in ${duration(windowSeconds!)}`;
  if (kind === 'daily') return `${most} a day, from ${resetsAtUtc} UTC`;
  return `${perSecond} a second, ${most} at once`;
}
