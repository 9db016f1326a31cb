/** A policy of onhand.yaml is that file's alone. */
export class PolicyOfFileError extends Error {
  readonly code = 'policy-of-file';
  readonly retryable = false;

  constructor(name: string) {
    super(`${name} stands in onhand.yaml; change it there, or choose another name`);
    this.name = 'PolicyOfFileError';
  }
}

export class UnknownPolicyError extends Error {
  readonly code = 'not-found';
  readonly retryable = false;

  constructor(name: string) {
    super(`no policy ${JSON.stringify(name)}; \`onhand buffers policies\` lists them`);
    this.name = 'UnknownPolicyError';
  }
}
