import type { Request } from 'express';
import { requestId } from '../http/request-context';
import type { ActivityEntry } from './activity';
import { type Asked, recordedAction } from './recorded-actions';

const LONGEST_TEXT = 500;
const MOST_ITEMS = 20;
const DEEPEST = 3;

/** The command line says so of itself; it is believed as far as the log goes. */
const FROM_COMMAND_LINE = 'x-onhand-client';

/**
 * The entry for a request that was answered; undefined for one that nobody known sent, that changed nothing, or that is
 * not written down. Of a refused request only the code of its problem is told: what it asked was not checked.
 */
export function activityOf(request: Request, status: number, answered: unknown): ActivityEntry | undefined {
  const { caller, isSession = false, method, params } = request;
  const pattern = (request.route as { path?: string } | undefined)?.path;
  if (!caller || pattern === undefined) return undefined;
  const recorded = recordedAction(`${method} ${pattern}`, { isPerson: isSession, status });
  if (!recorded) return undefined;
  const asked: Asked = {
    params: params as Asked['params'],
    body: objectIn(request.body),
    answer: objectIn(answered),
  };
  const isDone = status < 400;
  if (isDone && asked.answer.dryRun === true) return undefined;
  const { action } = recorded;
  const kind = isSession ? 'session' : request.headers[FROM_COMMAND_LINE] === 'cli' ? 'cli' : 'key';
  return {
    actor: { kind, name: caller.name, id: caller.id },
    action: typeof action === 'string' ? action : isDone ? action(asked) : 'stock.post',
    subject: textOf(subjectOf(asked, isDone ? recorded.subject : undefined)),
    channel: textOf(
      asked.params.channel ?? (isDone ? (asked.body.channel ?? asked.answer.channel) : undefined),
    ),
    outcome: isDone ? 'done' : 'refused',
    status,
    requestId: requestId(request),
    detail: isDone
      ? picked(
          [asked.body, recorded.body ?? []],
          [asked.answer, recorded.answer ?? []],
          [sizeOf(request), ['items']],
        )
      : picked([asked.answer, ['code']]),
  };
}

function subjectOf(asked: Asked, subject: ((asked: Asked) => unknown) | undefined): unknown {
  return subject ? subject(asked) : Object.values(asked.params).at(-1);
}

/** Of a list that was sent, only how long it was. */
function sizeOf({ body }: Request): { items?: number } {
  return Array.isArray(body) ? { items: body.length } : {};
}

function objectIn(value: unknown): Record<string, unknown> {
  const isObject =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number'
    ? String(value).slice(0, LONGEST_TEXT)
    : undefined;
}

function picked(
  ...from: [fields: Record<string, unknown>, names: readonly string[]][]
): Record<string, unknown> | undefined {
  const told = from.flatMap(([fields, names]) =>
    names
      .filter((name) => fields[name] !== undefined)
      .map((name) => [name, shortened(fields[name])] as const),
  );
  return told.length > 0 ? Object.fromEntries(told) : undefined;
}

/** As much as a person reads; a list that goes on ends with how many more there are. */
function shortened(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.slice(0, LONGEST_TEXT);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return '…';
  if (!Array.isArray(value))
    return Object.fromEntries(
      Object.entries(value)
        .slice(0, MOST_ITEMS)
        .map(([name, each]) => [name, shortened(each, depth + 1)]),
    );
  const items = value.slice(0, MOST_ITEMS).map((each) => shortened(each, depth + 1));
  return value.length > MOST_ITEMS ? [...items, `… and ${value.length - MOST_ITEMS} more`] : items;
}
