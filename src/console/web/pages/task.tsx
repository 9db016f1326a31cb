import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useApi } from '../hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Count, Facts, Heading, Section, Shown } from '../parts/basics';
import { fieldOf, type Records, RecordTable, worded } from '../parts/records';
import { CancelButton, isOpen, taskName, TaskProgress, TaskStateBadge, took } from '../parts/task-progress';
import { Ago, duration, Time } from '../parts/time';
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
function figureOf(name: string, value: number, { kind, subject }: Task): ComponentChildren {
  if (name === 'seconds') return duration(value);
  const to = kind.startsWith('reconcile') && value > 0 ? pageOf(name, subject) : undefined;
  return to ? (
    <a href={to}>
      <Count of={value} />
    </a>
  ) : (
    <Count of={value} />
  );
}

const DRIFTS = [
  'drift',
  'drifted',
  'notApplied',
  'channelEdits',
  'ordersUnread',
  'missing',
  'corrected',
  'escalated',
];

function pageOf(name: string, channel: string): string | undefined {
  const query = `?channel=${encodeURIComponent(channel)}`;
  if (DRIFTS.includes(name)) return `#/drift${query}`;
  return name === 'unmapped' ? `#/mapping${query}` : undefined;
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
          The first {LONGEST_LIST} of <Count of={items.length} />.
        </p>
      )}
    </>
  );
}
