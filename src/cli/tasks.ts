import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type HostFlags, hostOf, type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, EXIT, printNews, ProgressLine, tell } from './output';
import { interruptible } from './replay';
import { table } from './table';
import { HostProblemError } from '../replay/host.errors';

export interface Task {
  id: string;
  kind: string;
  subject: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  askedBy: string;
  askedAt: string;
  finishedAt: string | null;
  done: number;
  total: number | null;
  note: string | null;
  report: Record<string, unknown> | null;
  error: string | null;
}

/** The shape of a task as it is printed. */
const TASK = '{id, kind, subject, state, askedBy, askedAt, finishedAt, done, total, note, report, error}';
const LOOK_EVERY_MS = 300;
const WIDTH = 24;

/**
 * Asks for long work and shows how far it is, until it is over; Ctrl-C cancels it. Answers the report. Throws when
 * the work failed.
 */
export async function follow<Report>(flags: HostFlags, path: string, body?: unknown): Promise<Report> {
  let task: Task | undefined;
  const line = new ProgressLine();
  await interruptible(async (signal) => {
    const host = hostOf(flags);
    task = await host.post<Task>(`${path}${path.includes('?') ? '&' : '?'}wait=0`, body);
    const { id } = task;
    try {
      // What is over at once is answered with its report.
      while (isTask(task) && task.finishedAt === null) {
        if (signal.aborted)
          await host.post(`/v1/tasks/${id}/cancel`, undefined, { repeatable: true }).catch(() => undefined);
        const shown = task;
        line.show(() => progressText(shown));
        await sleep(LOOK_EVERY_MS);
        task = await host.get<Task>(`/v1/tasks/${id}`);
      }
    } finally {
      line.end();
    }
  });
  if (task && isTask(task) && task.state === 'failed')
    throw new HostProblemError(500, 'task-failed', task.error ?? 'it failed', '', [], task);
  if (task && isTask(task) && task.state === 'cancelled') {
    printNews(`Cancelled task ${task.id}.`);
    process.exitCode = EXIT.interrupted;
  }
  return (task && isTask(task) ? task.report : task) as Report;
}

/** As against the report of work that was over at once. */
function isTask(answer: Task): boolean {
  return answer.askedAt !== undefined;
}

function progressText({ kind, subject, state, done, total, note }: Task): string {
  const what = `${kind} ${subject}`;
  if (state === 'queued') return `${what}: waits for a worker`;
  if (total === null || total === 0) return `${what}: ${done} ${note ?? ''}`;
  const share = Math.min(1, done / total);
  const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.');
  return `${what} [${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${done}/${total} ${note ?? ''}`;
}

export function addTaskCommands(program: Command): void {
  addScheduleCommands(program);
  const tasks = program.command('tasks').description('long work: comparisons, counts, checks, rebuilds');

  withHostOptions(tasks.command('list'))
    .description('list long tasks, newest first')
    .addOption(new JsonOption(`[${TASK}]`))
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Task[] }>('/v1/tasks');
        tell(flags, items, () => (items.length === 0 ? 'No tasks yet.' : tasksText(items)));
      }),
    );

  withHostOptions(tasks.command('show <id>'))
    .description('show a long task with its report')
    .addOption(new JsonOption(TASK))
    .action(
      action(async (id: string, flags: JsonFlags) => {
        const task = await hostOf(flags).get<Task>(`/v1/tasks/${encodeURIComponent(id)}`);
        tell(flags, task, () => [tasksText([task]), JSON.stringify(task.report, null, 2)].join('\n\n'));
      }),
    );

  withHostOptions(tasks.command('cancel <id>'))
    .description('end a long task; what it has done stays done')
    .addOption(new JsonOption(TASK))
    .action(
      action(async (id: string, flags: JsonFlags) => {
        const task = await hostOf(flags).post<Task>(`/v1/tasks/${encodeURIComponent(id)}/cancel`);
        tell(flags, task, () =>
          task.state === 'cancelled' ? `Cancelled ${id}.` : `${id} ends within seconds.`,
        );
      }),
    );
}

function tasksText(tasks: readonly Task[]): string {
  return table(tasks, {
    id: ({ id }) => id,
    asked: ({ askedAt }) => askedAt,
    by: ({ askedBy }) => askedBy,
    task: ({ kind, subject }) => `${kind} ${subject}`,
    state: ({ state }) => state,
    done: ({ done, total }) => (total ? `${done}/${total}` : done),
    note: ({ error, note }) => error ?? note,
  });
}

interface Scheduled {
  name: string;
  everySeconds: number;
  running: boolean;
  nextAt: string;
  lastStartedAt: string | null;
  lastSeconds: number | null;
  lastOutcome: string | null;
  lastError: string | null;
}

function addScheduleCommands(program: Command): void {
  const schedule = program
    .command('schedule')
    .description('recurring tasks: when, and how the last run went');

  withHostOptions(schedule.command('list'))
    .description('list recurring tasks with their last and next run')
    .addOption(
      new JsonOption(
        '[{name, everySeconds, running, nextAt, lastStartedAt, lastSeconds, lastOutcome, lastError}]',
      ),
    )
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Scheduled[] }>('/v1/schedule');
        tell(flags, items, () => scheduleText(items));
      }),
    );

  withHostOptions(schedule.command('run <name>'))
    .description('run a recurring task now')
    .addOption(new JsonOption('{name, due}'))
    .action(
      action(async (name: string, flags: JsonFlags) => {
        await hostOf(flags).post(`/v1/schedule/${encodeURIComponent(name)}/run`, undefined, {
          repeatable: true,
        });
        tell(flags, { name, due: true }, () => `${name} is due now.`);
      }),
    );
}

function scheduleText(items: readonly Scheduled[]): string {
  return table(items, {
    name: ({ name }) => name,
    'every s': ({ everySeconds }) => everySeconds,
    next: ({ running, nextAt }) => (running ? 'running now' : nextAt),
    last: ({ lastStartedAt }) => lastStartedAt ?? 'never ran',
    'took s': ({ lastSeconds }) => lastSeconds?.toFixed(2),
    outcome: ({ lastOutcome, lastError }) => [lastOutcome, lastError].filter(Boolean).join(': '),
  });
}
