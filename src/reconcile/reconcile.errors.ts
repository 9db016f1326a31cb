/** The channel's plugin could not be connected, so there is nothing to compare with. HTTP 503. */
export class ReconcileUnservedError extends Error {
  readonly code = 'channel-not-served';

  constructor(channel: string, reason: string) {
    super(`${channel} is not served: ${reason}`);
    this.name = 'ReconcileUnservedError';
  }
}
