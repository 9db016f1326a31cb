import { call } from '../api';
import { useApi } from '../hooks';
import type { ConsolePage } from '../pages';
import { Badge, Count, Facts, Heading, OwnCount, Shown, type Tone } from '../parts/basics';
import { type Chosen, ChosenBar, useChosen } from '../parts/chosen';
import { type Deed, DoButton } from '../parts/do';
import { ChoiceFilter, Filters } from '../parts/filters';
import { signed, skuLink } from '../parts/levels';
import { type Column, Pages, Table, usePaged } from '../parts/table';
import { Time } from '../parts/time';
import { linkTo, useQuery } from '../route';
import { ScopeNote, useMay } from '../session';
import { CountState, percent, type StockCount } from './counts';
import '../parts/desk.css';

export const countPage: ConsolePage = {
  path: '/counts/:id',
  title: 'Count',
  needs: 'stock:read',
  View: ({ params }) => <OneCount id={params.id!} />,
};

interface CountLine {
  line: number;
  sku: string;
  location: string;
  state: string;
  counted: number;
  ledger: number | null;
  difference: number | null;
  status: string;
  note: string | null;
  before: number | null;
  after: number | null;
  decidedBy: string | null;
}

const TONES: Record<string, Tone> = {
  waiting: 'bad',
  refused: 'bad',
  unknown: 'warn',
  adjusted: 'good',
  equal: 'good',
};

/** One count: what it came to, and the lines that a person decides on. */
function OneCount({ id }: { id: string }) {
  const count = useApi<StockCount>(`/v1/counts/${id}`);
  const { source, takenAt } = count.data ?? {};
  return (
    <>
      <Heading title={source ? `Count by ${source}` : 'Count'} above={<a href={linkTo('/counts')}>Counts</a>}>
        {takenAt && (
          <>
            As of <Time at={takenAt} />
          </>
        )}
      </Heading>
      <Shown of={count}>
        {(data) => (
          <>
            <Facts
              of={[
                ['State', <CountState of={data.state} />],
                ['Reason', data.reason],
                ['Sent', <Time at={data.receivedAt} />],
                ['By', data.receivedBy],
                ['Lines right', <Share of={data.accuracy} />],
                ['Units off', <Share of={data.drift} />],
                [
                  'Counted',
                  <>
                    <OwnCount of={data.countedUnits} as="listed" /> units; the ledger said{' '}
                    <OwnCount of={data.ledgerUnits} as="listed" />
                  </>,
                ],
              ]}
            />
            <Lines id={id} takenAt={data.takenAt} byStatus={data.byStatus} onDone={count.reload} />
          </>
        )}
      </Shown>
    </>
  );
}

/** Of the lines below. */
function Share({ of }: { of: number | null }) {
  return of === null ? <>{percent(of)}</> : <OwnCount of={of} text={percent(of)} as="listed" />;
}

function Lines({
  id,
  takenAt,
  byStatus,
  onDone,
}: {
  id: string;
  takenAt: string;
  byStatus: Record<string, number>;
  onDone: () => void;
}) {
  const [{ status = byStatus.waiting ? 'waiting' : '' }] = useQuery();
  const wanted = status === 'all' ? undefined : status;
  const lines = usePaged<CountLine>(`/v1/counts/${id}/lines`, { status: wanted }, 100);
  const mayAct = useMay('stock:write');
  const shown = lines.data?.items ?? [];
  const waiting = shown.filter((line) => line.status === 'waiting');
  const chosen = useChosen(
    waiting,
    ({ line }) => line,
    ({ sku, location }) => `${sku} at ${location}`,
  );
  const canDecide = mayAct && wanted === 'waiting' && waiting.length > 0;
  const finish = () => {
    chosen.none();
    lines.reload();
    onDone();
  };
  return (
    <section aria-label="Lines">
      <ScopeNote needs="stock:write" to="decide on lines" />
      <Filters>
        <StatusFilter byStatus={byStatus} />
      </Filters>
      <Shown of={lines} isEmpty={({ items }) => items.length === 0} empty={<p>There are no such lines.</p>}>
        {({ items }) => (
          <>
            <Table
              label="Lines"
              items={items}
              keyOf={({ line }) => line}
              columns={[...(canDecide ? [chosen.column] : []), ...columnsFor(takenAt)]}
            />
            {canDecide && <Verdicts id={id} chosen={chosen} shown={waiting.length} onDone={finish} />}
            <Pages of={lines} />
          </>
        )}
      </Shown>
    </section>
  );
}

function StatusFilter({ byStatus }: { byStatus: Record<string, number> }) {
  const all = Object.values(byStatus).reduce((sum, each) => sum + each, 0);
  return (
    <ChoiceFilter
      name="status"
      label="Lines"
      choices={[
        ...(byStatus.waiting ? [{ value: '', text: `that wait (${byStatus.waiting})` }] : []),
        { value: byStatus.waiting ? 'all' : '', text: `all (${all})` },
        ...Object.entries(byStatus)
          .filter(([value]) => value !== 'waiting')
          .map(([value, units]) => ({ value, text: `${value} (${units})` })),
      ]}
    />
  );
}

function Verdicts({
  id,
  chosen,
  shown,
  onDone,
}: {
  id: string;
  chosen: Chosen<CountLine>;
  shown: number;
  onDone: () => void;
}) {
  return (
    <ChosenBar of={chosen} shown={shown}>
      <DoButton
        needs="stock:write"
        primary
        label="Approve"
        disabled={chosen.items.length === 0}
        deed={decide(id, 'approve', chosen.items)}
        onDone={onDone}
      />
      <DoButton
        needs="stock:write"
        label="Reject"
        disabled={chosen.items.length === 0}
        deed={decide(id, 'reject', chosen.items)}
        onDone={onDone}
      />
    </ChosenBar>
  );
}

function decide(id: string, verdict: 'approve' | 'reject', items: readonly CountLine[]): Deed {
  const units = items.reduce((sum, { difference }) => sum + (difference ?? 0), 0);
  const what = `${items.length} ${items.length === 1 ? 'line' : 'lines'}`;
  const words = {
    approve: {
      title: `Approve ${what}`,
      explains: `Their differences, ${signed(units)} units in all, are posted to the ledger as of the count. That is not undone; another count or an ADJUST corrects it.`,
      confirm: 'Approve',
      done: `${what} posted`,
    },
    reject: {
      title: `Reject ${what}`,
      explains: 'The ledger stays as it is. A later count speaks of them again.',
      confirm: 'Reject',
      done: `${what} turned down`,
    },
  }[verdict];
  return {
    ...words,
    act: async () => {
      await call('POST', `/v1/counts/${id}/${verdict}?wait=20`, { lines: items.map(({ line }) => line) });
      return { done: words.done };
    },
  };
}

const columnsFor = (takenAt: string): Column<CountLine>[] => [
  {
    name: 'SKU',
    heading: true,
    of: ({ sku, location, status }) =>
      status === 'unknown' ? sku : <a href={skuLink(sku, { show: 'events', location })}>{sku}</a>,
  },
  { name: 'Location', of: ({ location }) => location },
  { name: 'State', of: ({ state }) => state.replace('_', ' ') },
  { name: 'Counted', number: true, of: ({ counted }) => <OwnCount of={counted} as="recorded" /> },
  {
    name: 'Ledger',
    number: true,
    of: ({ sku, location, ledger }) =>
      ledger !== null && (
        <Count
          of={ledger}
          to={skuLink(sku, { show: 'events', location, at: takenAt })}
          names={`of ${sku} at ${location}, as the count was taken: the events`}
        />
      ),
  },
  { name: 'Difference', number: true, of: (line) => <Difference of={line} /> },
  {
    name: 'Came of it',
    class: 'long',
    of: ({ sku, location, status, note, before, after, decidedBy }) => (
      <>
        <Badge tone={TONES[status] ?? 'plain'}>{status}</Badge>{' '}
        {before !== null && after !== null && (
          <a href={skuLink(sku, { show: 'events', type: 'ADJUST', location })}>
            from <OwnCount of={before} as="opens" /> to <OwnCount of={after} as="opens" />
          </a>
        )}{' '}
        <span class="quiet">{[note, decidedBy && `by ${decidedBy}`].filter(Boolean).join(', ')}</span>
      </>
    ),
  },
];

/** What was posted is an event; what was not is told by the two figures before it. */
function Difference({ of: { sku, location, difference, status } }: { of: CountLine }) {
  if (difference === null) return null;
  const text = signed(difference);
  if (status !== 'adjusted') return <OwnCount of={difference} text={text} as="listed" />;
  const to = skuLink(sku, { show: 'events', type: 'ADJUST', location });
  return <Count of={difference} text={text} to={to} names={`units of ${sku} posted: the event`} />;
}
