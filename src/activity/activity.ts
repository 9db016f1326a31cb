export const ACTOR_KINDS = ['key', 'session', 'cli', 'host'] as const;

/** Who did it: an API key, a browser signed in with one, the command line with one, or the host itself. */
export interface Actor {
  kind: (typeof ACTOR_KINDS)[number];
  /** Of the key; of the host, which part of it. */
  name: string;
  /** Of the key. */
  id?: string;
}

export type ActivityOutcome = 'done' | 'refused';

/** Something that somebody did, or was not let do. Nothing secret, and nothing about buyers. */
export interface ActivityEntry {
  actor: Actor;
  /** noun.verb, such as `oversell.cancel` */
  action: string;
  subject?: string;
  channel?: string;
  outcome: ActivityOutcome;
  /** Of the HTTP answer. */
  status?: number;
  requestId?: string;
  detail?: Record<string, unknown>;
}
