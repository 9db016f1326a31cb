/** A problem (RFC 9457) that the host answered with. `message` is its title, detail and field errors. */
export class HostProblemError extends Error {
  readonly retryable = false;

  constructor(
    readonly status: number,
    /** `invalid-request`, `unauthorized` and so on; `http-500` where the answer was no problem. */
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly faults: readonly { field: string; message: string }[] = [],
    /** The problem whole, with what it tells beyond its title and detail. */
    readonly answer?: unknown,
    /** When to come again; 0 where it does not say. */
    readonly retryAfterSeconds = 0,
  ) {
    super(
      [
        detail ? `${title}: ${detail}` : title,
        ...faults.map(({ field, message }) => `  - ${field || 'the request'} ${message}`),
        ...adviceFor(status),
      ].join('\n'),
    );
    this.name = 'HostProblemError';
  }
}

/** Nobody answers at the host's address. */
export class HostUnreachableError extends Error {
  readonly code = 'host-unreachable';
  readonly retryable = true;

  constructor(url: string, cause: unknown) {
    super(
      `No host answers at ${url} (${reasonOf(cause)}).\n` +
        'Start one with `onhand start`, or give its address with --url or ONHAND_URL.',
      { cause },
    );
    this.name = 'HostUnreachableError';
  }
}

function adviceFor(status: number): string[] {
  if (status === 401) return ['Give a key of this host with --api-key, ONHAND_API_KEY or ONHAND_ADMIN_KEY.'];
  if (status === 403) return ['`onhand keys create NAME --scope …` makes a key that may do it.'];
  return [];
}

/** fetch says "fetch failed" and keeps the reason one level down. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? 'no answer';
}
