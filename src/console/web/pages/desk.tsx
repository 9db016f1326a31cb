import { useEffect } from 'preact/hooks';
import { useEvery } from '../hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Heading, Shown } from '../parts/basics';
import { ChannelFilter, ChoiceFilter, Filters } from '../parts/filters';
import { Pages, usePaged } from '../parts/table';
import { useQuery } from '../route';
import { ScopeNote } from '../session';
import { type Oversell, OversellCase } from './oversell-case';
import '../parts/desk.css';

export const oversellsPage: ConsolePage = {
  path: '/oversells',
  title: 'Oversells',
  group: 'Desk',
  needs: 'channels:read',
  waits: ({ channels }) =>
    channels && {
      count: channels.reduce((sum, { openShortfalls }) => sum + openShortfalls, 0),
      names: 'order lines short',
    },
  View: Desk,
};

/** Orders that a channel accepted and stock does not cover: one by one, with who took the units and what to do. */
function Desk() {
  const [{ state, channel }] = useQuery();
  const { channels } = useLive();
  const oversells = usePaged<Oversell>('/v1/oversells', { state, channel }, 25);
  const short = channels?.reduce((sum, { openShortfalls }) => sum + openShortfalls, 0);
  useEffect(oversells.reload, [short, oversells.reload]);
  // A shortfall is told of before it is known what is done about it.
  useEvery(4_000, oversells.reload);
  return (
    <>
      <Heading title="Oversells">
        A channel’s order cannot be refused. What stock does not cover is decided here; a decision is kept
        with its reason, and can be changed until the channel was asked to cancel.
      </Heading>
      <ScopeNote needs="channels:write" to="decide" />
      <Filters>
        <ChoiceFilter
          name="state"
          label="Orders"
          choices={[
            { value: '', text: 'that are open' },
            { value: 'held', text: 'that wait for a decision' },
            { value: 'grace', text: 'about to be cancelled' },
            { value: 'backordered', text: 'that wait for stock' },
            { value: 'cancelling', text: 'being cancelled' },
            { value: 'pending', text: 'the channel decides on' },
            { value: 'closed', text: 'closed by hand' },
            { value: 'resolved', text: 'covered or cancelled' },
          ]}
        />
        <ChannelFilter />
      </Filters>
      <Shown
        of={oversells}
        isEmpty={({ items }) => items.length === 0 && !oversells.hasBefore}
        empty={
          <p>
            {state || channel
              ? 'There is none like that.'
              : 'Every order that a channel accepted is covered.'}
          </p>
        }
      >
        {({ items }) => (
          <>
            {items.map((oversell) => (
              <OversellCase key={oversell.id} oversell={oversell} onDone={oversells.reload} />
            ))}
            <Pages of={oversells} />
          </>
        )}
      </Shown>
    </>
  );
}
