import { useEffect, useState } from 'preact/hooks';
import { call } from '../api';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Heading, Section, Shown } from '../parts/basics';
import { ChosenBar, useChosen } from '../parts/chosen';
import { type Deed, DoButton } from '../parts/do';
import { ChannelFilter, ChoiceFilter, Filters } from '../parts/filters';
import { type Paged, Pages, Table, usePaged } from '../parts/table';
import { linkTo, useQuery } from '../route';
import { ScopeNote, useMay } from '../session';
import { CAUSES, columnsFor, type Drift } from './drift-columns';
import { Comparisons } from './drift-comparisons';
import '../parts/desk.css';

export const driftPage: ConsolePage = {
  path: '/drift',
  title: 'Drift',
  group: 'Desk',
  needs: 'channels:read',
  View: DriftPage,
};

/** What channels show otherwise than they should, and what is done about it. */
function DriftPage() {
  const [{ state = 'open', channel, cause, run }, change] = useQuery();
  const { channels } = useLive();
  const names = (channels ?? []).map(({ name }) => name).filter((name) => !channel || name === channel);
  return (
    <>
      <Heading title="Drift" actions={<a href={linkTo('/counts')}>Warehouse counts</a>}>
        What a channel shows otherwise than it should, as the last comparison found it. Most of it is put
        right by itself; what comes back three times in a day is left to a person.
      </Heading>
      <ScopeNote needs="channels:write" to="correct or accept it" />
      <Filters>
        <ChoiceFilter
          name="state"
          label="Listings"
          choices={[
            { value: '', text: 'that are off now' },
            { value: 'escalated', text: 'left to a person' },
            { value: 'accepted', text: 'accepted as shown' },
            { value: 'resolved', text: 'that were off' },
            { value: 'all', text: 'that are or were off' },
          ]}
        />
        <ChannelFilter />
        <ChoiceFilter
          name="cause"
          label="Cause"
          choices={[
            { value: '', text: 'any' },
            ...Object.entries(CAUSES).map(([value, text]) => ({ value, text })),
          ]}
        />
      </Filters>
      {run && (
        <p>
          Only what <a href={linkTo(`/tasks/${run}`)}>one comparison</a> found; what a later one found again
          is that one’s.{' '}
          <button type="button" onClick={() => change({ run: undefined })}>
            Of all comparisons
          </button>
        </p>
      )}
      {channels?.length === 0 && <p class="notice empty">No channel is configured.</p>}
      {names.map((name) => (
        <ChannelDrift key={name} channel={name} filter={{ state, cause, run }} />
      ))}
    </>
  );
}

interface DriftFilter {
  state: string;
  cause?: string;
  run?: string;
}

function ChannelDrift({ channel, filter }: { channel: string; filter: DriftFilter }) {
  const { state, cause, run } = filter;
  const [turn, setTurn] = useState(0);
  const base = `/v1/channels/${encodeURIComponent(channel)}`;
  const drifts = usePaged<Drift>(
    `${base}/drifts`,
    { state: state === 'all' ? undefined : state, cause, run },
    100,
  );
  const { tasks } = useLive();
  const running = tasks?.filter(
    ({ kind, subject }) => kind.startsWith('reconcile') && subject === channel,
  ).length;
  // A comparison has begun or is over, whoever asked for it.
  useEffect(drifts.reload, [running, drifts.reload]);
  const reload = () => {
    setTurn(turn + 1);
    drifts.reload();
  };
  return (
    <Section title={channel} id={`drift-${channel}`}>
      <Shown
        of={drifts}
        isEmpty={({ items }) => items.length === 0 && !drifts.hasBefore}
        empty={
          <p>
            {state === 'open' && !cause && !run
              ? 'No comparison has found it off.'
              : 'There is none like that.'}
          </p>
        }
      >
        {() => <Drifts channel={channel} of={drifts} state={state} onDone={reload} />}
      </Shown>
      <Comparisons channel={channel} turn={`${turn} ${running}`} onDone={reload} />
    </Section>
  );
}

/** A page of them, and what is done with those that are chosen of it. */
function Drifts({
  channel,
  of,
  state,
  onDone,
}: {
  channel: string;
  of: Paged<Drift>;
  state: string;
  onDone: () => void;
}) {
  const items = of.data?.items ?? [];
  const mayAct = useMay('channels:write') && state !== 'resolved' && state !== 'all';
  const keyOf = ({ channelSku, channelLocation }: Drift) => `${channelSku}\n${channelLocation ?? ''}`;
  const chosen = useChosen(items, keyOf, ({ channelSku }) => channelSku);
  const finish = () => {
    chosen.none();
    onDone();
  };
  return (
    <>
      <Table
        label={`Drift of ${channel}`}
        items={items}
        keyOf={keyOf}
        columns={[...(mayAct ? [chosen.column] : []), ...columnsFor(channel)]}
      />
      {mayAct && (
        <ChosenBar of={chosen} shown={items.length}>
          <DoButton
            needs="channels:write"
            label="Push ours again"
            disabled={chosen.items.length === 0}
            deed={correct(channel, chosen.items)}
            onDone={finish}
          />
          {state !== 'accepted' && (
            <DoButton
              needs="channels:write"
              label="Leave as shown"
              disabled={chosen.items.length === 0}
              deed={accept(channel, chosen.items)}
              onDone={finish}
            />
          )}
        </ChosenBar>
      )}
      <Pages of={of} />
    </>
  );
}

const skusOf = (items: readonly Drift[]) => [...new Set(items.map(({ channelSku }) => channelSku))];
const listings = (count: number) => `${count} ${count === 1 ? 'listing' : 'listings'}`;

function correct(channel: string, items: readonly Drift[]): Deed {
  const channelSkus = skusOf(items);
  return {
    title: `Push ${listings(channelSkus.length)} to ${channel} again`,
    explains:
      'The channel is told what it should show, also where that was tried too often. A later change there is found by the next comparison.',
    confirm: 'Push',
    act: async () => {
      const path = `/v1/channels/${encodeURIComponent(channel)}/drifts/correct`;
      const { corrected } = await call<{ corrected: string[] }>('POST', path, { channelSkus });
      return outcome(channelSkus, corrected, `${listings(corrected.length)} on the way to ${channel}`);
    },
  };
}

function accept(channel: string, items: readonly Drift[]): Deed {
  const channelSkus = skusOf(items);
  return {
    title: `Leave ${listings(channelSkus.length)} as ${channel} shows them`,
    explains:
      'Comparisons leave them alone while the channel shows that number and the same one is expected. A change of their stock is pushed as ever. “Push ours again” undoes it.',
    confirm: 'Leave as shown',
    reason: 'required',
    act: async (reason) => {
      const path = `/v1/channels/${encodeURIComponent(channel)}/drifts/accept`;
      const { accepted } = await call<{ accepted: string[] }>('POST', path, { channelSkus, reason });
      return outcome(channelSkus, accepted, `${listings(accepted.length)} left as shown`);
    },
  };
}

/** What was put right meanwhile is no drift any more. */
function outcome(asked: readonly string[], did: readonly string[], done: string) {
  const refused = asked
    .filter((sku) => !did.includes(sku))
    .map((name) => ({ name, reason: 'it shows what it should by now' }));
  return { done, refused };
}
