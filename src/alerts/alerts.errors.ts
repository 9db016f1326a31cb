/** There is no alert of that id. HTTP 404. */
export class UnknownAlertError extends Error {
  readonly code = 'not-found';

  constructor(id: number | string) {
    super(`no alert ${id}`);
    this.name = 'UnknownAlertError';
  }
}

/** The alert is over, and needs nobody's attention any more. HTTP 409. */
export class AlertResolvedError extends Error {
  readonly code = 'wrong-state';

  constructor(id: number) {
    super(`the alert ${id} is resolved already`);
    this.name = 'AlertResolvedError';
  }
}

/** Some rules could not be looked at; alerts of theirs stay as they are. */
export class RulesFailedError extends Error {
  constructor(failures: readonly string[]) {
    super(`rules could not be looked at: ${failures.join('; ')}`);
    this.name = 'RulesFailedError';
  }
}
