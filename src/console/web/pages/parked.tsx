import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Heading } from '../parts/basics';
import { ChannelFilter, ChoiceFilter, Filters } from '../parts/filters';
import { useQuery } from '../route';
import { ScopeNote } from '../session';
import type { ChannelStatus } from '../types';
import { ParkedKind } from './parked-kind';
import { KINDS } from './parked-kinds';
import '../parts/desk.css';

export const parkedPage: ConsolePage = {
  path: '/parked',
  title: 'Parked',
  group: 'Desk',
  needs: 'channels:read',
  waits: ({ channels }) => channels && { count: parkedOf(channels), names: 'waiting for a person' },
  View: ParkedItems,
};

/** All that waits for a person, over the channels. */
export function parkedOf(channels: readonly ChannelStatus[]): number {
  return channels.reduce(
    (sum, { parkedListings, parkedLines, parkedOrders, inbox }) =>
      sum + parkedListings + parkedLines + parkedOrders + inbox.parked,
    0,
  );
}

function ParkedItems() {
  const { channels } = useLive();
  const [{ channel, state, show, channelSku }] = useQuery();
  const turn = channels ? parkedOf(channels) : 0;
  const kinds = KINDS.filter(
    ({ name, isKept }) => (!show || name === show) && (state !== 'dismissed' || isKept),
  );
  return (
    <>
      <Heading title="Parked">
        What could not be applied or sent, and waits for a person. Nothing of it is lost, and it blocks
        nothing else.
      </Heading>
      <ScopeNote needs="channels:write" to="try again or dismiss" />
      <Filters>
        <ChoiceFilter
          name="show"
          label="What"
          choices={[
            { value: '', text: 'everything' },
            ...KINDS.map(({ name, title }) => ({ value: name, text: title })),
          ]}
        />
        <ChannelFilter />
        <ChoiceFilter
          name="state"
          label="State"
          choices={[
            { value: '', text: 'waiting' },
            { value: 'dismissed', text: 'dismissed' },
          ]}
        />
      </Filters>
      {kinds.map((kind) => (
        <ParkedKind
          key={kind.name}
          kind={kind}
          turn={turn}
          filter={{
            channel,
            ...(kind.isKept && { state }),
            ...(kind.name === 'lines' && { channelSku }),
          }}
        />
      ))}
    </>
  );
}
