import type { ComponentChildren } from 'preact';
import type { OpenTask, Task, TaskState } from '../types';
import { AskButton } from './ask';
import { Badge, OwnCount, type Tone } from './basics';
import { duration, useTick } from './time';

const STATES: Record<TaskState, { tone: Tone; text: string }> = {
  queued: { tone: 'plain', text: 'waits for a worker' },
  running: { tone: 'plain', text: 'under way' },
  done: { tone: 'good', text: 'done' },
  failed: { tone: 'bad', text: 'failed' },
  cancelled: { tone: 'warn', text: 'cancelled' },
};

export function TaskStateBadge({
  task: { state, cancelAskedAt },
}: {
  task: Pick<OpenTask, 'state'> & Partial<Pick<OpenTask, 'cancelAskedAt'>>;
}) {
  if (isOpen(state) && cancelAskedAt) return <Badge tone="warn">is being cancelled</Badge>;
  const { tone, text } = STATES[state];
  return <Badge tone={tone}>{text}</Badge>;
}

export function isOpen(state: TaskState): boolean {
  return state === 'queued' || state === 'running';
}

/** What a kind of task does, in the words of the desk. */
const KINDS: Record<string, string> = {
  reconcile: 'Comparison of stock',
  'reconcile-skus': 'Comparison of chosen SKUs',
  'reconcile-orders': 'Comparison of orders',
  count: 'Count',
  verify: 'Check of the ledger',
  rebuild: 'Rebuild of levels',
};

export function kindName(kind: string): string {
  return KINDS[kind] ?? kind;
}

export function taskName({ kind, subject }: Pick<OpenTask, 'kind' | 'subject'>): string {
  const name = kindName(kind);
  return subject === 'ledger' ? name : `${name}: ${subject}`;
}

/** How far it is: a bar where the total is known, a figure where it is not, and what it says of itself. */
export function TaskProgress({ task }: { task: OpenTask }) {
  useTick();
  const { done, total, note, state, startedAt } = task;
  const running = state === 'running' && startedAt !== null;
  const seconds = startedAt ? (Date.now() - Date.parse(startedAt)) / 1000 : 0;
  return (
    <div class="progress">
      <progress
        aria-label={taskName(task)}
        {...(total ? { value: Math.min(done, total), max: total } : {})}
      />
      <p class="quiet">
        {total ? (
          <>
            <OwnCount of={done} as="progress" /> of <OwnCount of={total} as="progress" /> (
            {Math.floor((100 * Math.min(done, total)) / total)} %)
          </>
        ) : (
          <>
            <OwnCount of={done} as="progress" /> so far
          </>
        )}
        {running && `, for ${duration(Math.max(0, seconds))}`}
        {running && left(task, seconds)}
        {note && ` · ${note}`}
      </p>
    </div>
  );
}

/** Told once a twentieth is done; before that it would be a guess. */
function left({ done, total }: OpenTask, seconds: number): string {
  if (!total || done < total / 20 || done >= total || seconds < 3) return '';
  return `, about ${duration((seconds * (total - done)) / done)} left`;
}

export function CancelButton({ task, onDone }: { task: OpenTask; onDone: () => void }) {
  if (!isOpen(task.state) || task.cancelAskedAt) return null;
  return (
    <AskButton
      needs="channels:write"
      label="Cancel"
      name={`Cancel ${taskName(task)}`}
      question={{
        title: `Cancel ${taskName(task)}`,
        explains:
          'It ends within seconds. What it has done stays done, and its report is kept as far as it came.',
        path: `/v1/tasks/${task.id}/cancel`,
        keepsNoReason: true,
        confirm: 'Cancel it',
        done: `${taskName(task)} is told to end.`,
      }}
      onDone={onDone}
    />
  );
}

export function Took({ seconds }: { seconds: number }) {
  return <OwnCount of={seconds} text={duration(seconds)} as="recorded" />;
}

/** How long a task took that is over. */
export function took({ startedAt, finishedAt }: Task): ComponentChildren {
  if (!startedAt || !finishedAt) return null;
  return <Took seconds={(Date.parse(finishedAt) - Date.parse(startedAt)) / 1000} />;
}
