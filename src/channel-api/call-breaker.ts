/** What a call told of the channel's health; `unanswered` when nothing usable came back. */
export interface CallOutcome {
  kind: 'answered' | 'throttled' | 'unanswered';
  /** Of an unanswered call, redacted. */
  reason?: string;
}

/** Decides whether calls are worth sending at all: a channel that is away is left alone. */
export interface CallBreaker {
  /**
   * Throws a `ChannelError` when no call may be sent for now; `call` is method, host and path, for its message.
   * Else answers what is to be told how the call went.
   */
  admit(call: string): (outcome: CallOutcome) => void;
}
