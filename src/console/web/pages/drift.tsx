import { useEffect, useState } from 'preact/hooks';
import { call } from '../api';
import { useApi } from '../hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Badge, Count, Heading, Section, Shown, type Tone } from '../parts/basics';
import { ChosenBar, useChosen } from '../parts/chosen';
import { type Deed, DoButton } from '../parts/do';
import { ChannelFilter, ChoiceFilter, Filters } from '../parts/filters';
import { skuLink } from '../parts/levels';
import { type Column, Table } from '../parts/table';
import { Ago, Time } from '../parts/time';
import { linkTo, useQuery } from '../route';
import { ScopeNote, useMay } from '../session';
import type { Page } from '../types';
import { Comparisons } from './drift-comparisons';
import { listingLink } from './sku-listings';
import '../parts/desk.css';

export const driftPage: ConsolePage = {
  path: '/drift',
  title: 'Drift',
  group: 'Desk',
  needs: 'channels:read',
  View: DriftPage,
};

interface Drift {
  channelSku: string;
  channelLocation: string | null;
  cause: string;
  shown: number | null;
  expected: number | null;
  pushed: number | null;
  pushedAt: string | null;
  versions: Record<string, Record<string, number>>;
  since: string;
  foundAt: string;
  times: number;
  corrections: number;
  escalatedAt: string | null;
  resolvedAt: string | null;
  acceptedAt: string | null;
  acceptedBy: string | null;
  acceptedReason: string | null;
}

const CAUSES: Record<string, string> = {
  drift: 'it was never told, or refused the number',
  'not-applied': 'it took our number and does not show it',
  'channel-edit': 'somebody changed it there',
  'unseen-order': 'an order that we had not heard of; it was read',
  'orders-unread': 'it may have sold them: its orders cannot be read',
  missing: 'the channel does not show it',
  unmapped: 'nobody has mapped it',
};

/** What channels show otherwise than they should, and what is done about it. */
function DriftPage() {
  const [{ state = 'open', channel }] = useQuery();
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
          ]}
        />
        <ChannelFilter />
      </Filters>
      {channels?.length === 0 && <p class="notice empty">No channel is configured.</p>}
      {names.map((name) => (
        <ChannelDrift key={name} channel={name} state={state} />
      ))}
    </>
  );
}

function ChannelDrift({ channel, state }: { channel: string; state: string }) {
  const [turn, setTurn] = useState(0);
  const base = `/v1/channels/${encodeURIComponent(channel)}`;
  const drifts = useApi<Page<Drift>>(`${base}/drifts?state=${state}&limit=500`);
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
        isEmpty={({ items }) => items.length === 0}
        empty={<p>{state === 'open' ? 'It shows what it should.' : 'There is none like that.'}</p>}
      >
        {({ items }) => <Drifts channel={channel} items={items} state={state} onDone={reload} />}
      </Shown>
      <Comparisons channel={channel} turn={`${turn} ${running}`} onDone={reload} />
    </Section>
  );
}

function Drifts({
  channel,
  items,
  state,
  onDone,
}: {
  channel: string;
  items: Drift[];
  state: string;
  onDone: () => void;
}) {
  const mayAct = useMay('channels:write') && state !== 'resolved';
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
      {items.length === 500 && <p class="quiet">These are the 500 found last.</p>}
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

function columnsFor(channel: string): Column<Drift>[] {
  return [
    {
      name: 'Listing',
      heading: true,
      of: (drift) => <ListingCell channel={channel} of={drift} />,
    },
    { name: 'Shows', number: true, of: ({ shown }) => (shown === null ? '–' : <Count of={shown} />) },
    {
      name: 'Should show',
      number: true,
      of: ({ expected, channelSku }) =>
        expected === null ? (
          '–'
        ) : (
          <a
            class="count units"
            href={listingLink(channel, channelSku)}
            aria-label={`${expected}: how it comes about`}
          >
            <Count of={expected} />
          </a>
        ),
    },
    {
      name: 'Was told',
      number: true,
      of: ({ pushed, pushedAt }) =>
        pushed !== null && (
          <>
            <Count of={pushed} /> <span class="quiet">{pushedAt && <Ago at={pushedAt} />}</span>
          </>
        ),
    },
    {
      name: 'Cause',
      class: 'long',
      of: (drift) => (
        <>
          <StateBadge of={drift} /> {CAUSES[drift.cause] ?? drift.cause}
          {drift.acceptedAt && (
            <span class="quiet why">
              “{drift.acceptedReason}” by {drift.acceptedBy}, <Time at={drift.acceptedAt} />
            </span>
          )}
        </>
      ),
    },
    { name: 'Since', class: 'nowrap', of: ({ since }) => <Ago at={since} /> },
    {
      name: 'Found, corrected',
      number: true,
      of: ({ times, corrections }) => `${times} ×, ${corrections} ×`,
    },
  ];
}

function StateBadge({ of: { escalatedAt, acceptedAt, resolvedAt } }: { of: Drift }) {
  const [tone, text]: [Tone, string] = resolvedAt
    ? ['good', 'put right']
    : acceptedAt
      ? ['plain', 'accepted']
      : escalatedAt
        ? ['bad', 'left to a person']
        : ['warn', 'off'];
  return <Badge tone={tone}>{text}</Badge>;
}

function ListingCell({ channel, of }: { channel: string; of: Drift }) {
  const { channelSku, channelLocation, versions, cause } = of;
  return (
    <>
      {cause === 'unmapped' ? (
        <a href={linkTo('/mapping', { channel })}>{channelSku}</a>
      ) : (
        <a href={listingLink(channel, channelSku)}>{channelSku}</a>
      )}
      <span class="quiet">
        {Object.keys(versions).map((sku) => (
          <a key={sku} href={skuLink(sku)}>
            our {sku}{' '}
          </a>
        ))}
        {channelLocation && `at ${channelLocation}`}
      </span>
    </>
  );
}
