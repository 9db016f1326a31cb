/**
 * Errors a plugin throws to tell the host what to do next. The host reads `code` and `retryable`,
 * never the class: a plugin may carry its own copy of this file.
 */
export class ChannelError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    readonly retryAfterMs?: number,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** No usable answer: refused, reset, timed out, 5xx. The call may have been applied. Opens the breaker. */
export class ChannelUnavailableError extends ChannelError {
  constructor(message: string, retryAfterMs?: number) {
    super('channel-unavailable', message, true, retryAfterMs);
  }
}

/** A quota that lets nothing pass for so long; with the key, where it is counted by key. */
export interface UsedUpQuota {
  name: string;
  key?: string;
  waitMs: number;
}

/** The channel's limit was met (429 or its like). `usedUp`: the quotas for which nothing was sent. */
export class ChannelThrottledError extends ChannelError {
  constructor(
    message: string,
    retryAfterMs?: number,
    readonly usedUp: readonly UsedUpQuota[] = [],
  ) {
    super('channel-throttled', message, true, retryAfterMs);
  }
}

/** Nothing was sent: the channel could not be reached of late, and is only probed until it answers again. */
export class ChannelBreakerOpenError extends ChannelError {
  constructor(message: string, retryAfterMs?: number) {
    super('channel-breaker-open', message, true, retryAfterMs);
  }
}

/** Nothing was sent: what the hosts have used of the channel's limits together cannot be read. */
export class LimitsUnavailableError extends ChannelError {
  constructor(message: string) {
    super('limits-unavailable', message, true);
  }
}

/** The database that keeps what the channel was given cannot be reached; nothing was sent. */
export class SecretsUnavailableError extends ChannelError {
  constructor(message: string) {
    super('secrets-unavailable', message, true);
  }
}

/** Credentials or scopes are wrong; a person must act. */
export class ChannelUnauthorizedError extends ChannelError {
  constructor(message: string) {
    super('channel-unauthorized', message, false);
  }
}

/** The channel answered with something it does not document, a redirect included. */
export class ChannelProtocolError extends ChannelError {
  constructor(message: string) {
    super('channel-protocol', message, true);
  }
}

/** The call cannot be made as the options or the plugin have it; nothing was sent, and a person must act. */
export class ChannelRequestError extends ChannelError {
  constructor(message: string) {
    super('channel-request', message, false);
  }
}

/** The host does not let plugins connect to that address; nothing was sent, and a person must allow it. */
export class ChannelAddressError extends ChannelError {
  constructor(message: string) {
    super('channel-address', message, false);
  }
}

/** A webhook or document that cannot be understood; it is parked for a person. */
export class UntranslatableError extends ChannelError {
  constructor(message: string) {
    super('untranslatable', message, false);
  }
}

const HELD_BACK = ['channel-throttled', 'channel-breaker-open', 'limits-unavailable', 'secrets-unavailable'];

/**
 * True when a failure, or the `code` of a refused row, says only that the channel takes no calls for now:
 * nothing was applied, and it is no fault of what was to be sent.
 */
export function isHeldBack(failure: { code?: unknown } | null | undefined): boolean {
  return typeof failure?.code === 'string' && HELD_BACK.includes(failure.code);
}

/** True for any error with the shape of a `ChannelError`, whichever copy of the class made it. */
export function isChannelError(error: unknown): error is ChannelError {
  const { message, code, retryable } = (error ?? {}) as Partial<ChannelError>;
  return typeof message === 'string' && typeof code === 'string' && typeof retryable === 'boolean';
}
