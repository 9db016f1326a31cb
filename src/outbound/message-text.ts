import type { Outgoing } from './sender';

/** Deliveries as a person reads them. */
export interface Message {
  title: string;
  items: { heading: string; text: string; link: string | null }[];
}

/** A reason that somebody else's program gave may be of any length. */
const LONGEST_TEXT = 1_000;

interface Body {
  type: string;
  data: Record<string, unknown>;
}

/** Links lead to the console at `publicUrl`, and are left out where nobody can reach it. */
export function messageOf(deliveries: readonly Outgoing[], publicUrl: string | null): Message {
  const bodies = deliveries.map(({ body }) => JSON.parse(body) as Body);
  const items = bodies.map((body, index) => itemOf(body, deliveries[index]!.subject, publicUrl));
  const critical = bodies.filter(({ data }) => data.severity === 'critical').length;
  const many = `${items.length} events${critical > 0 ? `, ${critical} of them critical` : ''}`;
  return { title: `Onhand: ${items.length === 1 ? items[0]!.heading : many}`, items };
}

function itemOf({ type, data }: Body, subject: string, publicUrl: string | null): Message['items'][number] {
  const { severity, summary, link } = data;
  const isTold = typeof summary === 'string';
  const text = isTold ? summary : figuresOf(data);
  const kind =
    typeof severity === 'string' ? `${severity.toUpperCase()} ${type.replace('alert.', '')}` : type;
  return {
    heading: `${kind}: ${subject}`,
    text: text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text,
    link: typeof link === 'string' && publicUrl !== null ? publicUrl + link : null,
  };
}

/** Of what has no summary: its numbers and words, in their order. */
function figuresOf(data: Record<string, unknown>): string {
  return Object.entries(data)
    .filter(([, value]) => typeof value === 'number' || typeof value === 'string')
    .map(([name, value]) => `${name} ${value as string | number}`)
    .join(', ');
}
