import { useEffect } from 'preact/hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Heading, Section, Shown } from '../parts/basics';
import { ChoiceFilter, Filters } from '../parts/filters';
import { type Column, Pages, Table, usePaged } from '../parts/table';
import {
  CancelButton,
  isOpen,
  kindName,
  taskName,
  TaskProgress,
  TaskStateBadge,
  took,
} from '../parts/task-progress';
import { Ago } from '../parts/time';
import { useQuery } from '../route';
import { ScopeNote } from '../session';
import type { OpenTask, Task } from '../types';

export const tasksPage: ConsolePage = {
  path: '/tasks',
  title: 'Tasks',
  group: 'Host',
  needs: 'channels:read',
  waits: ({ tasks }) => tasks && { count: tasks.length, names: 'under way' },
  View: Tasks,
};

/** Work that takes minutes: what is under way with how far it is, and what is over with its report. */
function Tasks() {
  const [{ state, kind, subject }, change] = useQuery();
  const tasks = usePaged<Task>('/v1/tasks', { state, kind, subject });
  const { tasks: open } = useLive();
  const openIds = open?.map(({ id }) => id).join();
  useEffect(tasks.reload, [openIds, tasks.reload]);
  return (
    <>
      <Heading title="Tasks">
        Long work, such as comparing a channel. One host does each; another goes on with it where that one is
        lost. What recurs is on <a href="#/schedule">the schedule</a>.
      </Heading>
      <ScopeNote needs="channels:write" to="cancel a task" />
      <UnderWay
        open={open ?? tasks.data?.items.filter((task) => isOpen(task.state)) ?? []}
        reload={tasks.reload}
      />
      <Section id="over" title="Over" beside={<StateFilter />}>
        {(kind || subject) && (
          <p>
            Only {[kind && kindName(kind), subject && `of ${subject}`].filter(Boolean).join(' ')}.{' '}
            <button type="button" onClick={() => change({ kind: undefined, subject: undefined })}>
              Show all
            </button>
          </p>
        )}
        <Shown
          of={tasks}
          isEmpty={({ items }) =>
            items.every((task) => isOpen(task.state)) && !tasks.hasBefore && !tasks.hasMore
          }
          empty={<p>No task has come to its end in the last 30 days{state && ' in that way'}.</p>}
        >
          {({ items }) => (
            <>
              <Table
                label="Tasks that are over"
                columns={COLUMNS}
                items={items.filter((task) => !isOpen(task.state))}
                keyOf={({ id }) => id}
              />
              <Pages of={tasks} />
            </>
          )}
        </Shown>
      </Section>
    </>
  );
}

function StateFilter() {
  return (
    <Filters>
      <ChoiceFilter
        name="state"
        label="How it ended"
        choices={[
          { value: '', text: 'any way' },
          { value: 'done', text: 'done' },
          { value: 'failed', text: 'failed' },
          { value: 'cancelled', text: 'cancelled' },
        ]}
      />
    </Filters>
  );
}

function UnderWay({ open, reload }: { open: OpenTask[]; reload: () => void }) {
  return (
    <Section id="under-way" title="Under way">
      {open.length === 0 && (
        <div class="notice empty">
          <p>
            Nothing. A comparison is started on the page of its channel, a check of the ledger with{' '}
            <code>onhand verify</code>.
          </p>
        </div>
      )}
      {open.map((task) => (
        <article key={task.id} class="card" aria-label={taskName(task)}>
          <header class="row">
            <h3>
              <a href={`#/tasks/${task.id}`}>{taskName(task)}</a>
            </h3>
            <TaskStateBadge task={task} />
            <CancelButton task={task} onDone={reload} />
          </header>
          <TaskProgress task={task} />
          <p class="quiet">
            Asked for by {task.askedBy}, <Ago at={task.askedAt} />
          </p>
        </article>
      ))}
    </Section>
  );
}

const COLUMNS: Column<Task>[] = [
  {
    name: 'Task',
    heading: true,
    of: (task) => <a href={`#/tasks/${task.id}`}>{taskName(task)}</a>,
  },
  {
    name: 'How it ended',
    class: 'long',
    of: (task) => (
      <>
        <TaskStateBadge task={task} />
        {task.error && <span class="quiet why">{task.error}</span>}
      </>
    ),
  },
  { name: 'Ended', of: ({ finishedAt }) => finishedAt && <Ago at={finishedAt} /> },
  { name: 'Took', number: true, of: took },
  { name: 'Asked for by', of: ({ askedBy }) => askedBy },
];
