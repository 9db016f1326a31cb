import { useEffect } from 'preact/hooks';
import { call } from '../api';
import { useApi } from '../hooks';
import { Badge, OwnCount, Shown, type Tone } from '../parts/basics';
import { comparisonFigure } from '../parts/comparison-figures';
import { type Deed, DoButton } from '../parts/do';
import { type Column, Table } from '../parts/table';
import { Ago, duration } from '../parts/time';
import { linkTo } from '../route';
import type { Page } from '../types';

interface Comparison {
  id: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  startedAt: string | null;
  finishedAt: string | null;
  error: string | null;
  listings?: number;
  equal?: number;
  inFlight?: number;
  drifted?: number;
  missing?: number;
  unmapped?: number;
  corrected?: number;
  seconds?: number;
}

const TONES: Record<Comparison['state'], Tone> = {
  queued: 'plain',
  running: 'warn',
  done: 'good',
  failed: 'bad',
  cancelled: 'plain',
};

/** The channel's last comparisons, and the button that has it compared now. */
export function Comparisons({
  channel,
  turn,
  onDone,
}: {
  channel: string;
  /** Another one has them read again. */
  turn: string;
  onDone: () => void;
}) {
  const runs = useApi<Page<Comparison>>(`${pathOf(channel)}/reconciliations?limit=5`);
  useEffect(runs.reload, [turn, runs.reload]);
  const last = runs.data?.items[0];
  return (
    <details class="listing">
      <summary>
        Comparisons
        <span class="quiet">, {last?.startedAt ? <LastOne of={last} /> : 'none yet'}</span>
      </summary>
      <Shown of={runs} isEmpty={({ items }) => items.length === 0} empty={<p>It was not compared yet.</p>}>
        {({ items }) => (
          <Table
            label={`Comparisons of ${channel}`}
            items={items}
            keyOf={({ id }) => id}
            columns={columnsFor(channel)}
          />
        )}
      </Shown>
      <div class="buttons">
        <DoButton
          needs="channels:write"
          label="Compare now"
          name={`Compare now: ${channel}`}
          deed={compare(channel)}
          onDone={onDone}
        />
      </div>
    </details>
  );
}

function LastOne({ of: { startedAt, state } }: { of: Comparison }) {
  return (
    <>
      the last one <Ago at={startedAt!} />
      {state !== 'done' && (
        <>
          {' '}
          <Badge tone={TONES[state]}>{state}</Badge>
        </>
      )}
    </>
  );
}

function pathOf(channel: string): string {
  return `/v1/channels/${encodeURIComponent(channel)}`;
}

function compare(channel: string): Deed {
  return {
    title: `Compare ${channel} with the ledger`,
    explains: <Plan channel={channel} />,
    confirm: 'Compare',
    act: async () => {
      const report = await call<Comparison>('POST', `${pathOf(channel)}/reconcile?wait=20`);
      return {
        done:
          report.listings === undefined
            ? `${channel} is being compared; it goes on as a task`
            : `${report.equal} of ${report.listings} listings of ${channel} show what they should`,
      };
    },
  };
}

const columnsFor = (channel: string): Column<Comparison>[] => [
  {
    name: 'Began',
    heading: true,
    of: ({ id, startedAt, seconds }) => (
      <>
        <a href={linkTo(`/tasks/${id}`)}>{startedAt ? <Ago at={startedAt} /> : 'waits'}</a>{' '}
        {seconds !== undefined && <span class="quiet">in {duration(seconds)}</span>}
      </>
    ),
  },
  {
    name: 'State',
    of: ({ state, error }) => (
      <>
        <Badge tone={TONES[state]}>{state}</Badge> {error && <span class="quiet">{error}</span>}
      </>
    ),
  },
  comparisonFigure('Listings', 'listings', channel),
  comparisonFigure('Equal', 'equal', channel),
  comparisonFigure('On their way', 'inFlight', channel),
  comparisonFigure('Off', 'drifted', channel),
  comparisonFigure('Missing', 'missing', channel),
  comparisonFigure('Unmapped', 'unmapped', channel),
  comparisonFigure('Pushed again', 'corrected', channel),
];

function Plan({ channel }: { channel: string }) {
  const plan = useApi<{ calls: number; minutes: number; limit: string }>(`${pathOf(channel)}/reconcile/plan`);
  return (
    <p>
      The channel is read page by page, and what drifted is pushed again where it is set so.{' '}
      {plan.data && (
        <>
          That takes <OwnCount of={plan.data.calls} as="reckoned" /> calls, {duration(plan.data.minutes * 60)}{' '}
          at its limit ({plan.data.limit}).
        </>
      )}
    </p>
  );
}
