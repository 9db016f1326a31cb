import { useEffect } from 'preact/hooks';
import { useApi } from '../hooks';
import type { Breaker, ChannelStatus } from '../types';
import { AskButton, type Question } from './ask';
import { Badge, Section, Shown, type Tone } from './basics';
import { type Column, Table } from './table';
import { Ago, Time } from './time';

interface Change {
  change: string;
  reason: string | null;
  actor: string;
  changedAt: string;
}

const STATES: Record<Breaker['state'], { tone: Tone; text: string }> = {
  closed: { tone: 'good', text: 'closed: calls pass' },
  open: { tone: 'bad', text: 'open: it is left alone' },
  'half-open': { tone: 'warn', text: 'half-open: one call probes it' },
};

/** Whether calls pass, why not, what led to it, and a person's word on it. */
export function BreakerSection({ channel: { name, breaker } }: { channel: ChannelStatus }) {
  const path = `/v1/channels/${encodeURIComponent(name)}/breaker`;
  const read = useApi<Breaker & { changes: Change[] }>(path);
  useEffect(read.reload, [breaker.state, breaker.held, breaker.since, read.reload]);
  const { tone, text } = STATES[breaker.state];
  return (
    <Section
      id="breaker"
      title="Breaker"
      beside={
        <span class="buttons">
          {questions(name, path, breaker).map((question) => (
            <AskButton
              key={question.confirm}
              needs="channels:write"
              label={question.confirm}
              question={question}
              onDone={read.reload}
            />
          ))}
        </span>
      }
    >
      <p>
        <Badge tone={tone}>{text}</Badge> since <Time at={breaker.since} />
        {breaker.held && ', kept so by a person'}
        {breaker.probeAt && (
          <>
            , probed <Ago at={breaker.probeAt} />
          </>
        )}
        {breaker.reason && <span class="quiet why">{breaker.reason}</span>}
      </p>
      <Shown of={read} isEmpty={({ changes }) => changes.length === 0} empty={<p>It has never opened.</p>}>
        {({ changes }) => (
          <Table
            label="What happened to the breaker"
            columns={COLUMNS}
            items={changes}
            keyOf={({ changedAt, change }) => `${changedAt} ${change}`}
          />
        )}
      </Shown>
    </Section>
  );
}

const COLUMNS: Column<Change>[] = [
  { name: 'When', of: ({ changedAt }) => <Ago at={changedAt} /> },
  { name: 'What', heading: true, of: ({ change }) => change },
  { name: 'Why', class: 'long', of: ({ reason }) => reason },
  { name: 'By', of: ({ actor }) => actor },
];

/** What a person may want of it as it stands. */
function questions(name: string, path: string, { state, held }: Breaker): Question[] {
  const ask = (as: string, confirm: string, explains: string): Question => ({
    title: `${confirm}: ${name}`,
    explains,
    path,
    body: { state: as },
    confirm,
    done: `${confirm}: done.`,
  });
  const open = ask(
    'open',
    'Keep it open',
    'No call is sent to the channel until a person lets it decide by itself again. What changes stays queued, and what it shows may sell more than there is.',
  );
  const close = ask(
    'closed',
    'Keep it closed',
    'Calls are sent however often they fail, until a person lets it decide by itself again.',
  );
  const auto = ask(
    'auto',
    'Let it decide by itself',
    'An open breaker is probed at once, and closes when the channel answers.',
  );
  if (held) return [auto];
  return state === 'closed' ? [open] : [auto, close, open];
}
