/** The channel is being compared already, here or on another host. HTTP 409. */
export class ReconcileBusyError extends Error {
  readonly code = 'busy';

  constructor(channel: string) {
    super(`${channel} is being reconciled already; wait for that run to end`);
    this.name = 'ReconcileBusyError';
  }
}

/** The channel's plugin could not be connected, so there is nothing to compare with. HTTP 503. */
export class ReconcileUnservedError extends Error {
  readonly code = 'channel-not-served';

  constructor(channel: string, reason: string) {
    super(`${channel} is not served: ${reason}`);
    this.name = 'ReconcileUnservedError';
  }
}
