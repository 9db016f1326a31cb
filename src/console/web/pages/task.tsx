import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useApi } from '../hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Count, Facts, Heading, OwnCount, Section, Shown } from '../parts/basics';
import { comparisonLink } from '../parts/comparison-figures';
import { fieldOf, type Records, RecordTable, worded } from '../parts/records';
import {
  CancelButton,
  isOpen,
  taskName,
  TaskProgress,
  TaskStateBadge,
  Took,
  took,
} from '../parts/task-progress';
import { Ago, Time } from '../parts/time';
import { linkTo } from '../route';
import { ScopeNote } from '../session';
import type { Task } from '../types';

export const taskPage: ConsolePage = {
  path: '/tasks/:id',
  title: 'Task',
  needs: 'channels:read',
  View: ({ params }) => <OneTask id={params.id!} />,
};

/** One long task: how far it is while it goes on, and the report that it left. */
function OneTask({ id }: { id: string }) {
  const read = useApi<Task>(`/v1/tasks/${encodeURIComponent(id)}`);
  const now = useLive().tasks?.find((task) => task.id === id);
  const state = now?.state;
  useEffect(read.reload, [state, read.reload]);
  return (
    <Shown of={read}>
      {(task) => <TaskShown task={now ? { ...task, ...now } : task} reload={read.reload} />}
    </Shown>
  );
}

function TaskShown({ task, reload }: { task: Task; reload: () => void }) {
  const { state, error, askedBy, askedAt, startedAt, finishedAt, kind, subject, report } = task;
  return (
    <>
      <Heading
        title={taskName(task)}
        above={<a href="#/tasks">Tasks</a>}
        actions={<CancelButton task={task} onDone={reload} />}
      />
      {isOpen(state) && <ScopeNote needs="channels:write" to="cancel it" />}
      <div class="card">
        <p>
          <TaskStateBadge task={task} />
        </p>
        {isOpen(state) && <TaskProgress task={task} />}
        {error && <p class="notice bad">{error}</p>}
        <Facts
          of={[
            ['Asked for', <Time at={askedAt} />],
            ['By', askedBy],
            ['Begun', startedAt && <Ago at={startedAt} />],
            ['Ended', finishedAt && <Ago at={finishedAt} />],
            ['Took', took(task)],
            ['Channel', kind.startsWith('reconcile') && <ChannelLink name={subject} />],
          ]}
        />
      </div>
      {report && Object.keys(report).length > 0 && (
        <Section id="report" title={state === 'done' ? 'Report' : 'Report as far as it came'}>
          <Report report={report} task={task} />
        </Section>
      )}
    </>
  );
}

function ChannelLink({ name }: { name: string }) {
  return <a href={`#/channels/${encodeURIComponent(name)}`}>{name}</a>;
}

/** Which fields a report has is its kind's; the figures come first, lists after them. */
function Report({ report, task }: { report: Record<string, unknown>; task: Task }) {
  const fields = Object.entries(report)
    .filter(([name]) => name !== 'id' && name !== 'channel')
    .sort(([a], [b]) => placeOf(a) - placeOf(b));
  const lists = fields.filter((field): field is [string, unknown[]] => Array.isArray(field[1]));
  const others = fields.filter(([, value]) => !Array.isArray(value));
  return (
    <>
      <div class="card">
        <Facts of={others.map(([name, value]) => [worded(name), valueOf(name, value, task)])} />
      </div>
      {lists.map(([name, items]) => (
        <ReportList key={name} name={worded(name)} items={items} />
      ))}
    </>
  );
}

/** What matters first, as `src/reconcile/reconcile-report.ts` has it; others come after these as they are. */
const ORDER = [
  ...['listings', 'equal', 'inFlight', 'unseenOrders', 'drifted', 'drift', 'notApplied', 'channelEdits'],
  ...['ordersUnread', 'missing', 'unmapped', 'corrected', 'escalated', 'pages', 'seconds'],
];

function placeOf(name: string): number {
  const place = ORDER.indexOf(name);
  return place < 0 ? ORDER.length : place;
}

function valueOf(name: string, value: unknown, task: Task): ComponentChildren {
  return typeof value === 'number' ? figureOf(name, value, task) : fieldOf(name, value);
}

/** Where the report counts something that has a page, the figure leads there. */
function figureOf(name: string, value: number, { id, kind, subject }: Task): ComponentChildren {
  if (name === 'seconds') return <Took seconds={value} />;
  const to = linkOf(name, { id, kind, subject });
  if (!to) return <OwnCount of={value} as="recorded" />;
  return <Count of={value} to={to} names={`${worded(name).toLowerCase()} of ${subject}`} />;
}

/** Where the figures of a count's report are explained: its lines, all or those of one status. */
const COUNT_LINES: Record<string, string> = {
  lines: 'all',
  countedUnits: 'all',
  ledgerUnits: 'all',
  differingUnits: 'all',
  accuracy: 'all',
  drift: 'all',
  adjustedUnits: 'adjusted',
};

function linkOf(
  name: string,
  { id, kind, subject }: Pick<Task, 'id' | 'kind' | 'subject'>,
): string | undefined {
  if (kind === 'reconcile' || kind === 'reconcile-skus') return comparisonLink(name, subject, id);
  const status = kind === 'count' && COUNT_LINES[name];
  return status ? linkTo(`/counts/${subject}`, { status }) : undefined;
}

const LONGEST_LIST = 200;

function ReportList({ name, items }: { name: string; items: unknown[] }) {
  if (items.length === 0) return null;
  const rows = items
    .slice(0, LONGEST_LIST)
    .map((item) => (typeof item === 'object' && item !== null ? (item as Records) : { value: item }));
  return (
    <>
      <h3>{name}</h3>
      <RecordTable label={name} items={rows} />
      {items.length > LONGEST_LIST && (
        <p class="quiet">
          The first {LONGEST_LIST} of <OwnCount of={items.length} as="listed" />.
        </p>
      )}
    </>
  );
}
