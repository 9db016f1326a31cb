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
