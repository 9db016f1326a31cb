import type { ComponentChildren } from 'preact';
import type { Fetched } from '../hooks';

const NUMBER = new Intl.NumberFormat();

export function Count({ of }: { of: number }) {
  return <span class="count">{NUMBER.format(of)}</span>;
}

/** A number that leads to what it counts; nought leads nowhere. */
export function CountLink({ of, to, names }: { of: number; to: string; names: string }) {
  if (of === 0) return <span class="count zero">0</span>;
  return (
    <a class="count" href={to} aria-label={`${NUMBER.format(of)} ${names}`}>
      {NUMBER.format(of)}
    </a>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** Says its state in words; the colour only helps. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** A page's heading, what it is for in a sentence, and what is done with the whole of it. */
export function Heading({
  title,
  above,
  actions,
  children,
}: {
  title: ComponentChildren;
  /** A link to where it belongs. */
  above?: ComponentChildren;
  actions?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <header class="heading">
      {above && <p class="above">{above}</p>}
      <div class="row">
        <h1>{title}</h1>
        {actions && <div class="buttons">{actions}</div>}
      </div>
      {children && <p class="lead">{children}</p>}
    </header>
  );
}

/** A part of a page under its own heading, which names it for screen readers too. */
export function Section({
  title,
  id,
  beside,
  children,
}: {
  title: string;
  id: string;
  /** Stands at the end of the heading's line. */
  beside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section aria-labelledby={id}>
      <header class="row">
        <h2 id={id}>{title}</h2>
        {beside}
      </header>
      {children}
    </section>
  );
}

/** What there is to see of something that is read: it, that it comes, why it does not, or that there is none. */
export function Shown<T>({
  of: { data, problem, loading, reload },
  empty,
  isEmpty,
  children,
}: {
  of: Fetched<T>;
  empty?: ComponentChildren;
  isEmpty?: (data: T) => boolean;
  children: (data: T) => ComponentChildren;
}) {
  return (
    <>
      {problem && <Failed problem={problem} reload={reload} />}
      {loading && data === undefined && <Reading />}
      {data !== undefined && (
        <div class={loading ? 'outdated' : undefined} aria-busy={loading}>
          {isEmpty?.(data) ? <div class="notice empty">{empty}</div> : children(data)}
        </div>
      )}
    </>
  );
}

export function Reading() {
  return (
    <p class="quiet reading" aria-busy="true">
      Reading…
    </p>
  );
}

function Failed({
  problem,
  reload,
}: {
  problem: NonNullable<Fetched<unknown>['problem']>;
  reload: () => void;
}) {
  if (problem.isRouteAbsent)
    return (
      <div class="notice">
        <p>This host does not offer that yet: it runs an older version than the console’s page.</p>
      </div>
    );
  if (problem.status === 403)
    return (
      <div class="notice">
        <p>{sentence(problem.message)} Sign in with such a key to see it.</p>
      </div>
    );
  return (
    <div role="alert" class="notice bad">
      <p>{sentence(problem.message)}</p>
      <button type="button" onClick={reload}>
        Try again
      </button>
    </div>
  );
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** Name and value pairs, such as what is known of one thing. */
export function Facts({ of }: { of: [name: string, value: ComponentChildren][] }) {
  return (
    <dl class="facts">
      {of
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
