import type { SimulatedOrderLine } from '../channel-api/simulator';
import type { DocumentLine, OrderFile, SalesDocument } from './order-file';
import { SeededRandom } from './random';

/** A stock event as `POST /v1/events` takes it. */
export interface EventDraft {
  type: 'RESTOCK' | 'RETURN' | 'INSPECT' | 'ADJUST';
  sku: string;
  /** Units, 1 or more; of ADJUST the signed difference. */
  quantity: number;
  to?: 'available' | 'quarantined';
  reason?: string;
  reference: string;
  /** ISO 8601. */
  occurredAt: string;
  idempotencyKey: string;
}

/** Something to do at a moment of the file's time. */
export type Step = StepTime &
  (
    | { kind: 'place'; lines: SimulatedOrderLine[] }
    | { kind: 'ship' }
    /** A webhook of the order is sent once more, byte by byte as it was. */
    | { kind: 'repeat'; of: 'place' | 'ship' }
    | { kind: 'post'; events: EventDraft[] }
  );

interface StepTime {
  /** Number of the document that the step is part of. */
  document: string;
  /** When it is sent, in ms of the file's time. */
  atMs: number;
  /** When it happened, as the file says; shuffling does not change it. */
  occurredAt: string;
}

export interface TimelineOptions {
  seed: number;
  /** Share of the webhooks that are sent again, 0 to 1. */
  duplicateShare: number;
  /** Each document is sent earlier or later by at most this, in ms. */
  shuffleWithinMs: number;
  /** Steps that would lie after this moment (ms) are left out: the host takes no event from the future. */
  nowMs: number;
}

export interface Timeline {
  /** In the order of sending. */
  steps: Step[];
  /** Shipments and inspections left out, because their time has not come. */
  inFuture: number;
}

const HOUR_MS = 3_600_000;
const SHIPPED_AFTER_MS = 24 * HOUR_MS;
const INSPECTED_AFTER_MS = 48 * HOUR_MS;
/** Marketplaces repeat a delivery within seconds to minutes. */
const REPEATED_WITHIN_MS = 60_000;

/** The file's documents as timed steps. The same file and options give the same steps. */
export function timelineOf(file: OrderFile, options: TimelineOptions): Timeline {
  const offsets = new SeededRandom(options.seed, 'shuffle');
  const repeats = new SeededRandom(options.seed, 'repeat');
  const all = file.documents.flatMap((document) => {
    // One offset for the whole document keeps its steps in their own order.
    const offsetMs = (2 * offsets.next() - 1) * options.shuffleWithinMs;
    const steps = stepsOf(document, file.digest).map((step) => ({ ...step, atMs: step.atMs + offsetMs }));
    return steps.flatMap((step) => [step, ...repeated(step, repeats, options.duplicateShare)]);
  });
  const steps = all.filter((step) => Date.parse(step.occurredAt) <= options.nowMs);
  steps.sort((a, b) => a.atMs - b.atMs);
  return { steps, inFuture: all.length - steps.length };
}

function repeated(step: Step, random: SeededRandom, share: number): Step[] {
  if ((step.kind !== 'place' && step.kind !== 'ship') || !random.chance(share)) return [];
  const { document, occurredAt } = step;
  return [
    {
      kind: 'repeat',
      of: step.kind,
      document,
      occurredAt,
      atMs: step.atMs + random.next() * REPEATED_WITHIN_MS,
    },
  ];
}

function stepsOf(document: SalesDocument, digest: string): Step[] {
  const { number, occurredAtMs } = document;
  const timed = (delayMs: number): StepTime => {
    const atMs = occurredAtMs + delayMs;
    return { document: number, atMs, occurredAt: new Date(atMs).toISOString() };
  };
  const linesOf = (kind: DocumentLine['kind']) => document.lines.filter((line) => line.kind === kind);
  const [ordered, returned, corrected] = [linesOf('ordered'), linesOf('returned'), linesOf('corrected')];
  const steps: Step[] = [];
  if (ordered.length > 0) {
    steps.push(
      { kind: 'place', lines: ordered.map(orderLine), ...timed(0) },
      { kind: 'ship', ...timed(SHIPPED_AFTER_MS) },
    );
  }
  const post = (lines: DocumentLine[], delayMs: number, draft: (line: DocumentLine) => Draft) => {
    if (lines.length === 0) return;
    const time = timed(delayMs);
    const events = lines.map((line) => eventOf(draft(line), line, time, digest));
    steps.push({ kind: 'post', events, ...time });
  };
  post(returned, 0, ({ quantityUnits }) => ({ type: 'RETURN', quantity: quantityUnits, to: 'quarantined' }));
  post(returned, INSPECTED_AFTER_MS, ({ quantityUnits }) => ({
    type: 'INSPECT',
    quantity: quantityUnits,
    to: 'available',
  }));
  post(corrected, 0, ({ quantityUnits, reason }) => ({ type: 'ADJUST', quantity: -quantityUnits, reason }));
  return steps;
}

type Draft = Pick<EventDraft, 'type' | 'quantity' | 'to' | 'reason'>;

function eventOf(draft: Draft, line: DocumentLine, time: StepTime, digest: string): EventDraft {
  const { document, occurredAt } = time;
  const suffix = draft.type === 'INSPECT' ? ':inspected' : '';
  const idempotencyKey = `replay:${digest}:${document}:${line.index}${suffix}`;
  return { ...draft, sku: line.sku, reference: document, occurredAt, idempotencyKey };
}

function orderLine({ index, sku, quantityUnits }: DocumentLine): SimulatedOrderLine {
  return { lineId: String(index), channelSku: sku, quantityUnits };
}
