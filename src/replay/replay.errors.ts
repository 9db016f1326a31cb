/** A replay cannot start. `message` says why and what to do. */
export class ReplaySetupError extends Error {
  readonly code = 'replay-setup';
  readonly retryable = false;

  constructor(message: string) {
    super(message);
    this.name = 'ReplaySetupError';
  }
}

/** The host that the demo started ended by itself. */
export class HostEndedError extends Error {
  readonly code = 'host-ended';
  readonly retryable = false;

  constructor(how: string, logTail: string) {
    super(`The demo's host ended (${how}). The end of its log:\n\n${logTail || '(nothing was logged)'}`);
    this.name = 'HostEndedError';
  }
}
