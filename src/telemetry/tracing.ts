/*
 * Traces of what the host does, where somebody collects them. The other rooms know this file alone: it imports
 * nothing, and without a collector each call costs one comparison. Where a trace goes through the database, its
 * W3C traceparent is stored beside what it is about.
 */

export type SpanKind = 'internal' | 'server' | 'client' | 'consumer';

/** Facts for people who look: names of channels, kinds and counts. Nothing of buyers, and no secret. */
export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanStart {
  name: string;
  kind?: SpanKind;
  facts?: SpanFacts;
  /** A traceparent to go on from; null begins a trace. What runs now is gone on from when absent. */
  parent?: string | null;
  /** Traceparents of what this answers as well. */
  links?: readonly string[];
}

export interface LiveSpan {
  add(facts: SpanFacts): void;
  rename(name: string): void;
}

export interface Tracing {
  span<T>(start: SpanStart, work: (span: LiveSpan) => Promise<T>): Promise<T>;
  current(): string | undefined;
}

let tracing: Tracing | undefined;

/** For the whole process, as is the collector. */
export function setTracing(made: Tracing | undefined): void {
  tracing = made;
}

export function isTracing(): boolean {
  return tracing !== undefined;
}

/** Does the work, in a span of its own where traces are collected. Rejects as the work does. */
export function traced<T>(start: () => SpanStart, work: (span: LiveSpan) => Promise<T>): Promise<T> {
  return tracing === undefined ? work(NO_SPAN) : tracing.span(start(), work);
}

/** The traceparent of what runs now; undefined outside of a trace. */
export function currentTrace(): string | undefined {
  return tracing?.current();
}

/**
 * Where something answers several causes: it goes on in the trace of the only one, or begins a trace that is linked
 * with each.
 */
export function causedBy(traces: readonly string[]): Pick<SpanStart, 'parent' | 'links'> {
  const causes = [...new Set(traces)];
  const ids = new Set(causes.map((each) => each.split('-')[1]));
  return ids.size === 1 ? { parent: causes[0]!, links: causes.slice(1) } : { parent: null, links: causes };
}

const NO_SPAN: LiveSpan = { add: () => undefined, rename: () => undefined };
