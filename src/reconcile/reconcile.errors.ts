/** The channel's plugin could not be connected, so there is nothing to compare with. HTTP 503. */
export class ReconcileUnservedError extends Error {
  readonly code = 'channel-not-served';

  constructor(channel: string, reason: string) {
    super(`${channel} is not served: ${reason}`);
    this.name = 'ReconcileUnservedError';
  }
}

/** No count of that id. HTTP 404. */
export class NoSuchCountError extends Error {
  readonly code = 'not-found';

  constructor(id: string) {
    super(`there is no count ${JSON.stringify(id)}`);
    this.name = 'NoSuchCountError';
  }
}

/** No line of the count waits for a person. HTTP 409. */
export class CountClosedError extends Error {
  readonly code = 'wrong-state';

  constructor(id: string) {
    super(`none of these lines of count ${id} waits for approval`);
    this.name = 'CountClosedError';
  }
}

/** The channel's plugin cannot list orders. HTTP 409. */
export class OrdersUnreadableError extends Error {
  readonly code = 'wrong-state';

  constructor(channel: string) {
    super(`the plugin of ${channel} cannot list orders, so there is nothing to compare ours with`);
    this.name = 'OrdersUnreadableError';
  }
}
