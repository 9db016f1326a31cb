/** One thing that is wrong with the configuration. */
export interface ConfigFault {
  /** Where it is: `channels[0].name`, an environment variable's name, or '' for the file as a whole. */
  readonly path: string;
  /** What has to be there, as the end of the sentence "expected …". */
  readonly expected: string;
  /** What is there; absent where it may be a secret. */
  readonly found?: string;
  /** Position in the file, both from 1; absent when the value is not from the file. */
  readonly line?: number;
  readonly column?: number;
}

const ADVICE = 'Correct them and start again; onhand.example.yaml shows every setting with its default.';

/** The configuration cannot be used. Lists every fault, so that one round of editing is enough. */
export class ConfigError extends Error {
  readonly code = 'config-invalid';
  readonly retryable = false;

  constructor(
    readonly file: string | null,
    readonly faults: readonly ConfigFault[],
    /** What to do, as the last line. */
    advice = ADVICE,
  ) {
    super(composeMessage(file, faults, advice));
    this.name = new.target.name;
  }
}

function composeMessage(file: string | null, faults: readonly ConfigFault[], advice: string): string {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return [
    `The configuration${file === null ? '' : ` in ${file}`} has ${count}:`,
    ...faults.map((fault) => `  ${composeLine(fault)}`),
    advice,
  ].join('\n');
}

function composeLine(fault: ConfigFault): string {
  const position = fault.line === undefined ? '' : `line ${fault.line}:${fault.column ?? 1} `;
  const place = fault.path === '' ? '' : `${fault.path} `;
  const found = fault.found === undefined ? '' : `, found ${fault.found}`;
  return `${position}${place}expected ${fault.expected}${found}`;
}
