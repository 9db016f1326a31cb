import type { ComponentChildren } from 'preact';
import type { Fetched } from './hooks';

const NUMBER = new Intl.NumberFormat();

export function Count({ of }: { of: number }) {
  return <span class="count">{NUMBER.format(of)}</span>;
}

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** Says its state in words; the colour only helps. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Time({ at }: { at: string }) {
  return <time dateTime={at}>{new Date(at).toLocaleString()}</time>;
}

/** What there is to see of something that is read: it, that it comes, why it does not, or that there is none. */
export function Shown<T>({
  of: { data, problem, loading, reload },
  empty,
  isEmpty,
  children,
}: {
  of: Fetched<T>;
  empty: ComponentChildren;
  isEmpty: (data: T) => boolean;
  children: (data: T) => ComponentChildren;
}) {
  return (
    <>
      {problem && (
        <div role="alert" class="notice bad">
          <p>{sentence(problem.message)}</p>
          <button type="button" onClick={reload}>
            Try again
          </button>
        </div>
      )}
      {loading && (
        <p class="quiet" aria-busy="true">
          Reading…
        </p>
      )}
      {data !== undefined && (isEmpty(data) ? <div class="notice">{empty}</div> : children(data))}
    </>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

export function lag(seconds: number): string {
  if (seconds < 1) return '0 s';
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
