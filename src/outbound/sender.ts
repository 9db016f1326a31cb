/** One delivery as it goes out. `body` is sent, or read, as it stands. */
export interface Outgoing {
  id: string;
  event: string;
  subject: string;
  body: string;
}

/** What became of an attempt. */
export interface Outcome {
  delivered: boolean;
  /** As HTTP or SMTP has it; null where there was no answer. */
  status: number | null;
  /** Why not, without anything that the other side said. */
  error: string | null;
  retryAfterSeconds?: number;
  /** The receiver wants nothing any more. */
  gone?: boolean;
}

/** Tells one receiver. */
export interface Sender {
  /** How many it takes at once. */
  readonly atOnce: number;
  /** One outcome for each delivery, in their order. Never rejects. */
  send(deliveries: readonly Outgoing[]): Promise<Outcome[]>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export const DELIVERED = (status: number): Outcome => ({ delivered: true, status, error: null });

/** Reasons are short: an address that is refused is named with what to do about it. */
const LONGEST_REASON = 400;

export function failed(error: string, more: Partial<Outcome> = {}): Outcome {
  return { delivered: false, status: null, error: error.slice(0, LONGEST_REASON), ...more };
}
