import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Badge, Count, Reading, type Tone } from '../parts/basics';
import { duration } from '../parts/time';
import type { ChannelStatus } from '../types';
import { parkedOf } from './parked';

export const overviewPage: ConsolePage = {
  path: '/',
  title: 'Overview',
  group: 'Now',
  needs: 'channels:read',
  View: Overview,
};

function Overview() {
  const { channels } = useLive();
  if (!channels) return <Reading />;
  return (
    <>
      <h1>Overview</h1>
      <Figures channels={channels} />
      <h2 id="channels">Channels</h2>
      {channels.length === 0 ? (
        <div class="notice">
          <p>
            No channel is configured yet. Name one under <code>channels</code> in <code>onhand.yaml</code> and
            start the host again; <code>onhand plugins --help</code> says how to install the plugin that
            serves it.
          </p>
        </div>
      ) : (
        <ChannelTable channels={channels} />
      )}
    </>
  );
}

function Figures({ channels }: { channels: ChannelStatus[] }) {
  const sum = (units: (channel: ChannelStatus) => number) =>
    channels.reduce((total, each) => total + units(each), 0);
  const troubled = channels.filter((channel) => stateOf(channel).tone !== 'good');
  const short = sum((each) => each.openShortfalls);
  const waiting = sum((each) => each.dirty);
  const parked = parkedOf(channels);
  const behind = Math.max(0, ...channels.map((each) => each.lagSeconds));
  return (
    <ul class="figures">
      <Figure
        label="Order lines that stock does not cover"
        value={short}
        tone={short > 0 ? 'bad' : 'good'}
        to="#/oversells"
      />
      <Figure
        label="Channels that need a look"
        value={troubled.length}
        tone={troubled.length > 0 ? 'bad' : 'good'}
        note={troubled.map(({ name }) => name).join(', ')}
      />
      <Figure
        label="Quantities on their way"
        value={waiting}
        tone={behind > 90 ? 'warn' : 'good'}
        note={waiting > 0 ? `the oldest for ${duration(behind)}` : ''}
      />
      <Figure label="Waiting for a person" value={parked} tone={parked > 0 ? 'warn' : 'good'} to="#/parked" />
    </ul>
  );
}

function Figure({
  label,
  value,
  tone,
  note,
  to,
}: {
  label: string;
  value: number;
  tone: Tone;
  note?: string;
  to?: string;
}) {
  return (
    <li class={`figure ${tone}`}>
      <span class="label">{to ? <a href={to}>{label}</a> : label}</span>
      <strong>
        <Count of={value} />
      </strong>
      {note && <span class="quiet">{note}</span>}
    </li>
  );
}

function ChannelTable({ channels }: { channels: ChannelStatus[] }) {
  return (
    <div class="scroll" role="region" aria-labelledby="channels" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Channel</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Listings
            </th>
            <th scope="col" class="number">
              On their way
            </th>
            <th scope="col" class="number">
              Behind
            </th>
            <th scope="col" class="number">
              Parked
            </th>
            <th scope="col" class="number">
              Short
            </th>
          </tr>
        </thead>
        <tbody>
          {channels.map((channel) => (
            <ChannelRow key={channel.name} channel={channel} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ChannelRow({ channel }: { channel: ChannelStatus }) {
  const { name, plugin, pluginVersion, mode, listings, dirty, lagSeconds, openShortfalls, inbox } = channel;
  const { tone, text, why } = stateOf(channel);
  return (
    <tr>
      <th scope="row">
        {name}
        <span class="quiet">
          {plugin} {pluginVersion}
        </span>
      </th>
      <td>
        <Badge tone={tone}>{text}</Badge> {mode !== 'live' && <Badge tone="plain">{mode}</Badge>}
        {why && <span class="quiet why">{why}</span>}
      </td>
      <td class="number">
        <Count of={listings} />
      </td>
      <td class="number">
        <Count of={dirty} />
      </td>
      <td class="number">{duration(lagSeconds)}</td>
      <td class="number">
        <Count of={channel.parkedListings + channel.parkedLines + channel.parkedOrders + inbox.parked} />
      </td>
      <td class="number">
        <Count of={openShortfalls} />
      </td>
    </tr>
  );
}

/** The worst thing that can be said of it. */
function stateOf(channel: ChannelStatus): { tone: Tone; text: string; why?: string | null } {
  const { state, error, breaker, paused, stale, parkedListings, lagSeconds, lastError } = channel;
  if (state === 'failed') return { tone: 'bad', text: 'not served', why: error };
  if (breaker.state !== 'closed') return { tone: 'bad', text: 'left alone', why: breaker.reason };
  if (paused) return { tone: 'warn', text: 'paused', why: `${paused.reason} (${paused.by})` };
  if (stale) return { tone: 'warn', text: 'stale', why: stale.reason };
  if (parkedListings > 0) return { tone: 'warn', text: 'refuses listings', why: lastError };
  if (lagSeconds > 90) return { tone: 'warn', text: 'behind', why: lastError };
  return { tone: 'good', text: 'in step' };
}
