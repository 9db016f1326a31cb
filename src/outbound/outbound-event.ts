import { namesEvent, type OutboundEventType, type ReceiverConfig } from '../config/receiver.config';

/** Something that receivers may be told. */
export interface OutboundEvent {
  type: OutboundEventType;
  /** What it is about, for people: `MUG-RED at main`. */
  subject: string;
  /** When it was so, ISO 8601. */
  at: string;
  data: Record<string, unknown>;
  /** Grows with each state of the same thing, so that whoever is told may drop the older. */
  version: number;
  /** The thing that this is a state of, such as one level; null for what is told one by one. */
  stateOf: string | null;
  /** Channels that it concerns. */
  channels: readonly string[];
  /** Tags of the SKUs that it concerns. */
  tags: readonly string[];
}

/** What is sent: the three fields of Standard Webhooks' payloads. */
export function bodyOf({ type, at, data }: Pick<OutboundEvent, 'type' | 'at' | 'data'>): string {
  return JSON.stringify({ type, timestamp: at, data });
}

/** Whether the receiver asked for the event, for one of its channels and for one of its tags. */
export function isWanted(event: OutboundEvent, receiver: ReceiverConfig): boolean {
  const { events, channels, tags } = receiver;
  return (
    events.some((pattern) => namesEvent(pattern, event.type)) &&
    (channels.length === 0 || event.channels.some((name) => channels.includes(name))) &&
    (tags.length === 0 || event.tags.some((tag) => tags.includes(tag)))
  );
}

/** Whether the receiver asked for any event of a kind, such as `stock`. */
export function wantsKind(kind: string, { events }: ReceiverConfig): boolean {
  return events.some((pattern) => pattern === '*' || pattern.startsWith(`${kind}.`));
}
