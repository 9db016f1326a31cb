import type { ComponentChildren } from 'preact';
import { useApi, useEvery } from '../hooks';
import { linkTo } from '../route';
import type { ChannelStatus, LimitLevel, Page } from '../types';
import { Badge, Count, OwnCount, type Tone } from './basics';
import { listingsLink } from './listing-links';
import { type Column, Table } from './table';
import { duration } from './time';

/** Longer than the target of DESIGN: what waits longer is behind. */
const BEHIND_SECONDS = 90;

/** The worst thing that can be said of it. */
export function channelState(channel: ChannelStatus): { tone: Tone; text: string; why?: string | null } {
  const { state, error, breaker, paused, stale, parkedListings, lagSeconds, lastError, orderPolls } = channel;
  if (state === 'failed') return { tone: 'bad', text: 'not served', why: error };
  if (breaker.state !== 'closed') return { tone: 'bad', text: 'left alone', why: breaker.reason };
  if (paused) return { tone: 'warn', text: 'paused', why: `${paused.reason} (${paused.by})` };
  if (stale) return { tone: 'warn', text: 'stale', why: stale.reason };
  if (lagSeconds > BEHIND_SECONDS)
    return {
      tone: 'warn',
      text: `${duration(lagSeconds)} behind`,
      why: lastError ?? 'its queue is not drained in time',
    };
  if (parkedListings > 0) return { tone: 'warn', text: 'refuses listings', why: lastError };
  if (orderPolls?.failingSince) return { tone: 'warn', text: 'orders unread', why: orderPolls.error };
  return { tone: 'good', text: 'in step' };
}

export function ChannelStateBadge({ channel }: { channel: ChannelStatus }) {
  const { tone, text, why } = channelState(channel);
  return (
    <>
      <Badge tone={tone}>{text}</Badge>{' '}
      {channel.mode !== 'live' && <Badge tone="plain">{channel.mode}</Badge>}
      {why && <span class="quiet why">{why}</span>}
    </>
  );
}

export const channelLink = (name: string) => linkTo(`/channels/${encodeURIComponent(name)}`);

export const queueLink = (name: string) => `${channelLink(name)}?show=queue`;

/** For how long the oldest of what is on its way has waited. */
export function Behind({ channel: { name, lagSeconds } }: { channel: ChannelStatus }) {
  return (
    <Count
      of={lagSeconds}
      text={duration(lagSeconds)}
      to={queueLink(name)}
      names={`behind: what is on its way to ${name}`}
    />
  );
}

/** All channels, each with its state, what waits there, and where to look at it. */
export function ChannelTable({ channels }: { channels: ChannelStatus[] }) {
  return <Table label="Channels" columns={COLUMNS} items={channels} keyOf={({ name }) => name} />;
}

const COLUMNS: Column<ChannelStatus>[] = [
  {
    name: 'Channel',
    heading: true,
    of: ({ name, plugin, pluginVersion }) => (
      <>
        <a href={channelLink(name)}>{name}</a>
        <span class="quiet">
          {plugin.split('/').at(-1)} {pluginVersion}
        </span>
      </>
    ),
  },
  { name: 'State', class: 'long', of: (channel) => <ChannelStateBadge channel={channel} /> },
  { name: 'Behind', number: true, of: (channel) => <Behind channel={channel} /> },
  {
    name: 'Queue',
    number: true,
    of: ({ name, dirty }) => (
      <Count of={dirty} to={queueLink(name)} names={`listings of ${name} on their way`} />
    ),
  },
  { name: 'Breaker', of: (channel) => <BreakerWord channel={channel} /> },
  {
    name: 'Calls left',
    class: 'limits',
    of: ({ name, state }) => state === 'ready' && <TightestLimit channel={name} />,
  },
  {
    name: 'Parked',
    number: true,
    of: (channel) => (
      <Count
        of={channel.parkedListings + channel.parkedLines + channel.parkedOrders + channel.inbox.parked}
        to={linkTo('/parked', { channel: channel.name })}
        names={`parked at ${channel.name}`}
      />
    ),
  },
  {
    name: 'Short',
    number: true,
    of: ({ name, openShortfalls }) => (
      <Count
        of={openShortfalls}
        to={linkTo('/oversells', { channel: name })}
        names={`order lines of ${name} that stock does not cover`}
      />
    ),
  },
  {
    name: 'Listings',
    number: true,
    of: ({ name, listings }) => <Count of={listings} to={listingsLink(name)} names={`listings of ${name}`} />,
  },
];

function BreakerWord({ channel: { breaker } }: { channel: ChannelStatus }) {
  const word = breaker.state === 'half-open' ? 'being probed' : breaker.state;
  return (
    <>
      {word}
      {breaker.held && <span class="quiet"> (held)</span>}
    </>
  );
}

const LIMITS_EVERY_MS = 5_000;

export function useLimits(channel: string) {
  const limits = useApi<Page<LimitLevel>>(`/v1/channels/${encodeURIComponent(channel)}/limits`);
  useEvery(LIMITS_EVERY_MS, limits.reload);
  return limits;
}

/** The limit that has the least left of what it could have: the one that holds the channel up first. */
function TightestLimit({ channel }: { channel: string }) {
  const { data } = useLimits(channel);
  const [tightest] = [...(data?.items ?? [])].sort((a, b) => a.left / a.most - b.left / b.most);
  return tightest ? <LimitBar limit={tightest} to={`${channelLink(channel)}?show=limits`} /> : null;
}

/** `to` leads to the figures that it is drawn from, where they do not stand beside it. */
export function LimitBar({ limit, to }: { limit: LimitLevel; to?: string }): ComponentChildren {
  const { name, left, most, closedForSeconds } = limit;
  const share = Math.floor((100 * left) / most);
  if (closedForSeconds > 0) return <Badge tone="bad">closed for {duration(closedForSeconds)}</Badge>;
  return (
    <span class="limit">
      <meter
        aria-label={`${name}: ${left} of ${most} calls left`}
        value={left}
        max={most}
        low={most * 0.1}
        optimum={most}
      />
      <span class="quiet">
        {to ? (
          <Count of={share} text={`${share} %`} to={to} names={`of the calls of ${name} left`} />
        ) : (
          <OwnCount of={share} text={`${share} %`} as="listed" />
        )}
      </span>
    </span>
  );
}
