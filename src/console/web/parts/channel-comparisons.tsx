import { useEffect } from 'preact/hooks';
import { useApi } from '../hooks';
import { useLive } from '../live';
import { linkTo } from '../route';
import { useMay } from '../session';
import type { Page, TaskState } from '../types';
import { ActButton } from './ask';
import { CountLink, Section, Shown } from './basics';
import { type Column, Table } from './table';
import { CancelButton, taskName, TaskProgress, TaskStateBadge } from './task-progress';
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
      {!isComparing && <PlanLine path={path} />}
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

function PlanLine({ path }: { path: string }) {
  const plan = useApi<Plan>(useMay('channels:write') ? `${path}/reconcile/plan` : undefined);
  if (!plan.data) return null;
  const { listings, calls, minutes, limit, basis } = plan.data;
  return (
    <p class="quiet">
      Comparing its {listings} listings takes {calls} calls (told from {basis}), about{' '}
      {minutes < 1 ? 'a minute or less' : duration(minutes * 60)}; the limit is {limit}.
    </p>
  );
}

function columnsOf(channel: string): Column<Comparison>[] {
  const drifts = linkTo('/drift', { channel });
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
    { name: 'Listings', number: true, of: ({ listings }) => listings },
    { name: 'Equal', number: true, of: ({ equal }) => equal },
    {
      name: 'Drifted',
      number: true,
      of: ({ drifted = 0 }) => <CountLink of={drifted} to={drifts} names="listings that drifted" />,
    },
    { name: 'Corrected', number: true, of: ({ corrected }) => corrected },
    {
      name: 'Missing',
      number: true,
      of: ({ missing = 0 }) => <CountLink of={missing} to={drifts} names="missing" />,
    },
    { name: 'Took', number: true, of: ({ seconds }) => seconds !== undefined && duration(seconds) },
  ];
}
