import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { OpenAlerts } from '../parts/alert-list';
import { Heading, OwnCount, Reading, Section, type Tone } from '../parts/basics';
import { channelLink, channelState, ChannelTable, queueLink } from '../parts/channel-state';
import { KeyFigures } from '../parts/key-figures';
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

/** What is wrong now comes first, then where, then how it has been. */
function Overview() {
  const { channels } = useLive();
  return (
    <>
      <Heading title="Overview" />
      {channels ? (
        <>
          <Now channels={channels} />
          <OpenAlerts />
          <Channels channels={channels} />
        </>
      ) : (
        <Reading />
      )}
      <KeyFigures />
    </>
  );
}

export function Channels({ channels }: { channels: ChannelStatus[] }) {
  return (
    <Section id="channels" title="Channels">
      {channels.length === 0 ? (
        <div class="notice empty">
          <p>
            No channel is configured yet. Name one under <code>channels</code> in <code>onhand.yaml</code> and
            start the host again; <code>onhand plugins --help</code> says how to install the plugin that
            serves it.
          </p>
        </div>
      ) : (
        <ChannelTable channels={channels} />
      )}
    </Section>
  );
}

function Now({ channels }: { channels: ChannelStatus[] }) {
  const sum = (units: (channel: ChannelStatus) => number) =>
    channels.reduce((total, each) => total + units(each), 0);
  const troubled = channels.filter((channel) => channelState(channel).tone !== 'good');
  const worst = troubled.find((channel) => channelState(channel).tone === 'bad') ?? troubled[0];
  const short = sum((each) => each.openShortfalls);
  const waiting = sum((each) => each.dirty);
  const parked = parkedOf(channels);
  const behind = Math.max(0, ...channels.map((each) => each.lagSeconds));
  const slowest = channels.find(({ lagSeconds }) => lagSeconds === behind);
  return (
    <ul class="figures">
      <Figure
        label="Order lines that stock does not cover"
        value={short}
        tone={short > 0 ? 'bad' : 'good'}
        note={short === 0 ? 'nothing oversells' : 'someone has to decide'}
        to="#/oversells"
      />
      <Figure
        label="Channels that need a look"
        value={troubled.length}
        tone={troubled.length > 0 ? 'bad' : 'good'}
        note={worst ? `${worst.name}: ${channelState(worst).text}` : `${channels.length} in step`}
        to={worst ? channelLink(worst.name) : '#/channels'}
      />
      <Figure
        label="Quantities on their way"
        value={waiting}
        tone={behind > 90 ? 'warn' : 'good'}
        note={
          waiting > 0 && slowest ? `the oldest for ${duration(behind)}, to ${slowest.name}` : 'all are taken'
        }
        to={waiting > 0 && slowest ? queueLink(slowest.name) : '#/channels'}
      />
      <Figure
        label="Waiting for a person"
        value={parked}
        tone={parked > 0 ? 'warn' : 'good'}
        note={parked === 0 ? 'nothing is parked' : 'listings, orders, webhooks'}
        to="#/parked"
      />
    </ul>
  );
}

interface FigureProps {
  label: string;
  value: number;
  tone: Tone;
  note: string;
  to: string;
}

function Figure({ label, value, tone, note, to }: FigureProps) {
  return (
    <li class={`figure ${tone}`}>
      <a class="leads" href={to}>
        <span>{label}</span>
        <strong>
          <OwnCount of={value} as="opens" />
        </strong>
      </a>
      <span class="quiet">{note}</span>
    </li>
  );
}
