import type { ConsolePage } from '../pages';
import { Badge, Heading } from '../parts/basics';
import { channelLink } from '../parts/channel-state';
import { ChoiceFilter, Filters, TextFilter } from '../parts/filters';
import { type Column, PagedTable, usePaged } from '../parts/table';
import { Ago } from '../parts/time';
import { linkTo, useQuery } from '../route';
import type { Activity } from '../types';

export const activityPage: ConsolePage = {
  path: '/activity',
  title: 'Activity',
  group: 'Host',
  needs: 'channels:read',
  View: ActivityLog,
};

/** Who did what, and what was refused. */
function ActivityLog() {
  const [{ actor, action, channel, outcome }] = useQuery();
  const activity = usePaged<Activity>('/v1/activity', { actor, action, channel, outcome });
  return (
    <>
      <Heading title="Activity">
        Who did what, by the API, the command line or this console, and what was refused. Newest first.
      </Heading>
      <Filters>
        <TextFilter name="actor" label="Who" placeholder="a key’s name" />
        <TextFilter name="action" label="What" placeholder="such as oversell" />
        <TextFilter name="channel" label="Channel" />
        <ChoiceFilter
          name="outcome"
          label="Outcome"
          choices={[
            { value: '', text: 'any' },
            { value: 'done', text: 'done' },
            { value: 'refused', text: 'refused' },
          ]}
        />
      </Filters>
      <PagedTable
        of={activity}
        label="Activity"
        columns={COLUMNS}
        keyOf={({ id }) => id}
        empty={
          <p>{actor || action || channel || outcome ? 'Nothing is like that.' : 'Nothing was done yet.'}</p>
        }
      />
    </>
  );
}

const COLUMNS: Column<Activity>[] = [
  { name: 'When', of: ({ at }) => <Ago at={at} /> },
  {
    name: 'Who',
    of: ({ actor }) => (
      <>
        <a href={linkTo('/activity', { actor: actor.name })}>{actor.name}</a>
        <span class="quiet why">{ACTORS[actor.kind] ?? actor.kind}</span>
      </>
    ),
  },
  {
    name: 'What',
    heading: true,
    of: ({ action, subject }) => (
      <>
        <a href={linkTo('/activity', { action })}>{action}</a>
        {subject && <span class="quiet why">{subject}</span>}
      </>
    ),
  },
  { name: 'Channel', of: ({ channel }) => channel && <a href={channelLink(channel)}>{channel}</a> },
  {
    name: 'Outcome',
    of: ({ outcome, status }) => (
      <Badge tone={outcome === 'done' ? 'good' : 'warn'}>
        {outcome}
        {outcome === 'refused' && status !== null && ` (${status})`}
      </Badge>
    ),
  },
  { name: 'Detail', class: 'long', of: (item) => <Detail item={item} /> },
];

const ACTORS: Record<Activity['actor']['kind'], string> = {
  key: 'by API key',
  session: 'in the console',
  cli: 'on the command line',
  host: 'the host itself',
};

function Detail({ item: { detail, requestId } }: { item: Activity }) {
  const told = Object.entries(detail ?? {});
  if (told.length === 0 && !requestId) return null;
  return (
    <details>
      <summary>{told.length > 0 ? summaryOf(told) : <span class="quiet">request</span>}</summary>
      {told.length > 0 && <pre>{JSON.stringify(detail, null, 2)}</pre>}
      {requestId && (
        <p class="quiet">
          request <code>{requestId}</code>
        </p>
      )}
    </details>
  );
}

const LONGEST_SUMMARY = 90;

function summaryOf(told: [string, unknown][]): string {
  const text = told
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');
  return text.length > LONGEST_SUMMARY ? `${text.slice(0, LONGEST_SUMMARY)}…` : text;
}
