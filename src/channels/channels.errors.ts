/** A channel cannot be served. `message` says why and what to do; the other channels run on. */
export class ChannelSetupError extends Error {
  readonly code = 'channel-setup';

  constructor(message: string) {
    super(message);
    this.name = 'ChannelSetupError';
  }
}

/** No channel of that name is configured. HTTP 404. */
export class UnknownChannelError extends Error {
  readonly code = 'not-found';

  constructor(name: string) {
    super(`no channel ${JSON.stringify(name)} in onhand.yaml`);
    this.name = 'UnknownChannelError';
  }
}

/** The listings file cannot be used; each fault names its line. */
export class ListingsFileError extends Error {
  readonly code = 'listings-file';

  constructor(
    readonly file: string,
    readonly faults: readonly string[],
  ) {
    super(`${file} cannot be used:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'ListingsFileError';
  }
}

/** The channel has no listing of that name. HTTP 404. */
export class UnknownListingError extends Error {
  readonly code = 'not-found';

  constructor(channel: string, channelSku: string) {
    super(`${channel} has no listing ${JSON.stringify(channelSku)}`);
    this.name = 'UnknownListingError';
  }
}

/** The listing is kept in the channel's configured file, which would take back any other change. HTTP 409. */
export class ListingOfFileError extends Error {
  readonly code = 'listing-of-file';

  constructor(channelSku: string, file: string) {
    super(
      `the listing ${JSON.stringify(channelSku)} is kept in ${file}, which is read at each start; change it there`,
    );
    this.name = 'ListingOfFileError';
  }
}

/** The channel's plugin could not be connected, so there is nothing to read. HTTP 503. */
export class ChannelNotServedError extends Error {
  readonly code = 'channel-not-served';

  constructor(channel: string, reason: string) {
    super(`${channel} is not served: ${reason}`);
    this.name = 'ChannelNotServedError';
  }
}

/** A new plugin cannot be written. `message` says why and what to do. */
export class ScaffoldError extends Error {
  readonly code = 'scaffold';

  constructor(message: string) {
    super(message);
    this.name = 'ScaffoldError';
  }
}
