/** No recurring or long task of that name. HTTP 404. */
export class NoSuchTaskError extends Error {
  readonly code = 'not-found';

  constructor(name: string) {
    super(`there is no task ${JSON.stringify(name)}`);
    this.name = 'NoSuchTaskError';
  }
}

/** The same work is under way already, here or on another host. HTTP 409. */
export class TaskBusyError extends Error {
  readonly code = 'busy';

  constructor(kind: string, subject: string, id: string) {
    super(`${kind} of ${subject} is under way already; wait for task ${id} to end, or cancel it`);
    this.name = 'TaskBusyError';
  }
}

/** A task that is over cannot be cancelled. HTTP 409. */
export class TaskOverError extends Error {
  readonly code = 'wrong-state';

  constructor(id: string, state: string) {
    super(`task ${id} is ${state}; there is nothing to cancel`);
    this.name = 'TaskOverError';
  }
}

/** What a failed task ended with, told to whoever waited for it. `code` is the error's own. */
export class TaskFailedError extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
    this.name = 'TaskFailedError';
  }
}

/** Thrown within a task's work when it is to end: somebody cancelled it, this host stops, or another has it. */
export class TaskEndedError extends Error {
  constructor(readonly why: 'cancelled' | 'stopping' | 'lost') {
    super(`the task ends: ${why}`);
    this.name = 'TaskEndedError';
  }
}
