import { useEffect } from 'preact/hooks';
import { useApi } from '../hooks';
import { useLive } from '../live';
import { useMay } from '../session';
import type { Page, TaskState } from '../types';
import { ActButton } from './ask';
import { Count, OwnCount, Section, Shown } from './basics';
import { comparisonFigure } from './comparison-figures';
import { listingsLink } from './listing-links';
import { type Column, Table } from './table';
import { CancelButton, taskName, TaskProgress, TaskStateBadge, Took } from './task-progress';
import { Ago, duration } from './time';

interface Plan {
  listings: number;
  calls: number;
  minutes: number;
  limit: string;
  basis: string;
}

/** A comparison with its report's fields, as far as it came. */
interface Comparison {
  id: string;
  state: TaskState;
  startedAt: string | null;
  finishedAt: string | null;
  error: string | null;
  listings?: number;
  equal?: number;
  drifted?: number;
  corrected?: number;
  missing?: number;
  seconds?: number;
}

const SHOWN = 10;

/** What comparing the channel takes, the comparison under way, and the last ones. */
export function ComparisonSection({ channel }: { channel: string }) {
  const path = `/v1/channels/${encodeURIComponent(channel)}`;
  const runs = useApi<Page<Comparison>>(`${path}/reconciliations?limit=${SHOWN}`);
  const now =
    useLive().tasks?.filter(({ kind, subject }) => kind.startsWith('reconcile') && subject === channel) ?? [];
  const ids = now.map(({ id }) => id).join();
  useEffect(runs.reload, [ids, runs.reload]);
  const isComparing = now.some(({ kind }) => kind === 'reconcile');
  return (
    <Section
      id="comparisons"
      title="Comparisons"
      beside={!isComparing && <StartButtons path={path} onDone={runs.reload} />}
    >
      {now.map((task) => (
        <article key={task.id} class="card" aria-label={taskName(task)}>
          <header class="row">
            <h3>
              <a href={`#/tasks/${task.id}`}>{taskName(task)}</a>
            </h3>
            <TaskStateBadge task={task} />
            <CancelButton task={task} onDone={runs.reload} />
          </header>
          <TaskProgress task={task} />
        </article>
      ))}
      {!isComparing && <PlanLine channel={channel} path={path} />}
      <Shown
        of={runs}
        isEmpty={({ items }) => items.length === 0}
        empty={<p>It has not been compared yet.</p>}
      >
        {({ items }) => (
          <Table label="Last comparisons" columns={columnsOf(channel)} items={items} keyOf={({ id }) => id} />
        )}
      </Shown>
    </Section>
  );
}

function StartButtons({ path, onDone }: { path: string; onDone: () => void }) {
  return (
    <span class="buttons">
      <ActButton
        needs="channels:write"
        path={`${path}/reconcile?wait=0`}
        label="Compare now"
        done="The comparison is asked for."
        onDone={onDone}
      />
      <ActButton
        needs="channels:write"
        path={`${path}/orders/reconcile?wait=0`}
        label="Compare orders"
        done="The comparison of orders is asked for."
        onDone={onDone}
      />
    </span>
  );
}

function PlanLine({ channel, path }: { channel: string; path: string }) {
  const plan = useApi<Plan>(useMay('channels:write') ? `${path}/reconcile/plan` : undefined);
  return (
    <Shown of={plan}>
      {({ listings, calls, minutes, limit, basis }) => (
        <p class="quiet">
          Comparing its <Count of={listings} to={listingsLink(channel)} names={`listings of ${channel}`} />{' '}
          listings takes <OwnCount of={calls} as="reckoned" /> calls (told from {basis}), about{' '}
          {minutes < 1 ? 'a minute or less' : duration(minutes * 60)}; the limit is {limit}.
        </p>
      )}
    </Shown>
  );
}

function columnsOf(channel: string): Column<Comparison>[] {
  return [
    {
      name: 'Begun',
      heading: true,
      of: ({ id, startedAt }) => (
        <a href={`#/tasks/${id}`}>{startedAt ? <Ago at={startedAt} /> : 'not yet'}</a>
      ),
    },
    {
      name: 'How it ended',
      class: 'long',
      of: (run) => (
        <>
          <TaskStateBadge task={run} />
          {run.error && <span class="quiet why">{run.error}</span>}
        </>
      ),
    },
    comparisonFigure('Listings', 'listings', channel),
    comparisonFigure('Equal', 'equal', channel),
    comparisonFigure('Drifted', 'drifted', channel),
    comparisonFigure('Corrected', 'corrected', channel),
    comparisonFigure('Missing', 'missing', channel),
    { name: 'Took', number: true, of: ({ seconds }) => seconds !== undefined && <Took seconds={seconds} /> },
  ];
}
