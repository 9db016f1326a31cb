import { ChannelError } from '../channel-api';

/** Nothing was sent: the right to send it ended while the call waited. */
export class CallTooLateError extends ChannelError {
  constructor() {
    super('too-late', 'not sent: the claim on what it says ended while it waited', true);
  }
}

/**
 * Keeps a channel's plugin from sending once the claim it sends for has ended: a call that waited for a token,
 * or whose process was stopped, would say what another worker has said anew. It holds for all that the
 * plugin sends meanwhile, reads included, for whose call a request is made cannot be told without an
 * AsyncLocalStorage, and that slows every promise of the process on Node 20.
 */
export class CallDeadline {
  /** In ms of `performance.now()`, which goes on while a process is stopped and never jumps. */
  private deadlineMs = Infinity;
  private running: Promise<unknown> | undefined;

  /** An earlier call that has not come back, long after it was given up. */
  get busy(): boolean {
    return this.running !== undefined;
  }

  /**
   * Runs one call at a time; the deadline stands until the call comes back, however late. Rejects with
   * `CallTooLateError` while an earlier one has not come back: what that one still sends would go by the new
   * deadline, and be late.
   */
  run<T>(deadlineMs: number, call: () => Promise<T>): Promise<T> {
    if (this.busy) return Promise.reject(new CallTooLateError());
    this.deadlineMs = deadlineMs;
    const running = call();
    this.running = running;
    const clear = () => {
      this.deadlineMs = Infinity;
      this.running = undefined;
    };
    running.then(clear, clear);
    return running;
  }

  /** Called right before each request is sent. Throws `CallTooLateError`. */
  assertInTime(): void {
    if (performance.now() >= this.deadlineMs) throw new CallTooLateError();
  }
}
