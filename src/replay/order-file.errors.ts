/** The file of orders cannot be used. `faults` name their line and what is expected there. */
export class OrderFileError extends Error {
  readonly code = 'order-file';
  readonly retryable = false;

  constructor(
    readonly file: string,
    readonly faults: readonly string[],
  ) {
    super(
      [
        `${file} cannot be replayed:`,
        ...faults.map((fault) => `  - ${fault}`),
        'Correct the file and try again; `onhand orders replay --help` describes its columns.',
      ].join('\n'),
    );
    this.name = 'OrderFileError';
  }
}
