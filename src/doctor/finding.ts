export interface Finding {
  /** Such as `database` or `clock`, or the name of a channel. */
  subject: string;
  /** False for a fault alone. */
  ok: boolean;
  /** A warning works today and may hurt tomorrow; a fault does not work. */
  level: 'ok' | 'warning' | 'fault';
  /** What is proven, or what is wrong. */
  message: string;
  /** What to do; null where there is nothing to do, or the message says it. */
  fix: string | null;
}

export function good(subject: string, message: string): Finding {
  return { subject, ok: true, level: 'ok', message, fix: null };
}

export function warning(subject: string, message: string, fix: string): Finding {
  return { subject, ok: true, level: 'warning', message, fix };
}

export function fault(subject: string, message: string, fix: string | null): Finding {
  return { subject, ok: false, level: 'fault', message, fix };
}
