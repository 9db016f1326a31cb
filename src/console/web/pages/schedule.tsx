import { useApi, useEvery } from '../hooks';
import type { ConsolePage } from '../pages';
import { ActButton } from '../parts/ask';
import { Badge, Heading, OwnCount, Shown } from '../parts/basics';
import { ChoiceFilter, Filters, TextFilter } from '../parts/filters';
import { type Column, Table } from '../parts/table';
import { Took } from '../parts/task-progress';
import { Ago, duration } from '../parts/time';
import { useQuery } from '../route';
import { ScopeNote } from '../session';
import type { Page, ScheduledTask } from '../types';

export const schedulePage: ConsolePage = {
  path: '/schedule',
  title: 'Schedule',
  group: 'Host',
  needs: 'channels:read',
  View: Schedule,
};

const READ_EVERY_MS = 3_000;

/** What recurs: how often, when next, and how the last run went. */
function Schedule() {
  const schedule = useApi<Page<ScheduledTask>>('/v1/schedule');
  useEvery(READ_EVERY_MS, schedule.reload);
  const [{ outcome, name = '' }] = useQuery();
  const matches = (task: ScheduledTask) =>
    (!outcome || task.lastOutcome === outcome) && task.name.toLowerCase().includes(name.toLowerCase());
  return (
    <>
      <Heading title="Schedule">
        What recurs, over all hosts: each runs on one of them at a time. Long ones leave a report among{' '}
        <a href="#/tasks">the tasks</a>.
      </Heading>
      <ScopeNote needs="channels:write" to="run one now" />
      <Filters>
        <TextFilter name="name" label="Name" placeholder="such as reconcile" />
        <ChoiceFilter
          name="outcome"
          label="Last run"
          choices={[
            { value: '', text: 'any' },
            { value: 'done', text: 'went well' },
            { value: 'failed', text: 'failed' },
          ]}
        />
      </Filters>
      <Shown
        of={schedule}
        isEmpty={({ items }) => !items.some(matches)}
        empty={<p>Nothing that recurs is like that.</p>}
      >
        {({ items }) => (
          <Table
            label="Schedule"
            columns={columnsOf(schedule.reload)}
            items={items.filter(matches)}
            keyOf={(task) => task.name}
          />
        )}
      </Shown>
    </>
  );
}

function columnsOf(reload: () => void): Column<ScheduledTask>[] {
  return [
    { name: 'Name', heading: true, of: (task) => task.name },
    {
      name: 'Every',
      number: true,
      of: ({ everySeconds }) => <OwnCount of={everySeconds} text={duration(everySeconds)} as="set" />,
    },
    {
      name: 'Next',
      of: ({ running, nextAt }) => (running ? <Badge tone="plain">runs now</Badge> : <Ago at={nextAt} />),
    },
    { name: 'Last', of: ({ lastFinishedAt }) => lastFinishedAt && <Ago at={lastFinishedAt} /> },
    {
      name: 'Took',
      number: true,
      of: ({ lastSeconds }) => lastSeconds !== null && <Took seconds={lastSeconds} />,
    },
    { name: 'How it went', class: 'long', of: (task) => <Outcome task={task} /> },
    {
      name: 'Failed',
      number: true,
      of: ({ failures, runs }) => (
        <>
          <OwnCount of={failures} as="tally" /> of <OwnCount of={runs} as="tally" />
        </>
      ),
    },
    {
      name: 'Do',
      class: 'actions',
      of: ({ name }) => (
        <ActButton
          needs="channels:write"
          path={`/v1/schedule/${encodeURIComponent(name)}/run`}
          label="Run now"
          name={`Run now: ${name}`}
          done={`${name} is due now.`}
          onDone={reload}
        />
      ),
    },
  ];
}

function Outcome({ task: { lastOutcome, lastError } }: { task: ScheduledTask }) {
  if (lastOutcome === null) return <span class="quiet">has not run yet</span>;
  if (lastOutcome === 'done') return <Badge tone="good">well</Badge>;
  return (
    <>
      <Badge tone="bad">failed</Badge> <span class="quiet why">{lastError}</span>
    </>
  );
}
