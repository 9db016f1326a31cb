import type { AlertSeverity } from '../config/alerts.config';

/** What a rule found: what is wrong with what, or nearly so. */
export interface Finding {
  /** The rule and its subject: one alert of a key is open at a time. */
  key: string;
  rule: string;
  severity: AlertSeverity;
  channel: string | null;
  subject: string | null;
  tags: readonly string[];
  /** What is wrong, and what to do next. */
  summary: string;
  value: number;
  threshold: number;
  /** False where it is too little to raise an alert, and too much for one that is open to be over. */
  raises: boolean;
}

/** What a person reads: `90 s`, `15 min`, `2 h`, `3 days`. */
export function spokenSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function spokenShare(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))} %`;
}

/** `1 listing`, `2 listings`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
