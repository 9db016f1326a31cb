import type { ComponentChildren } from 'preact';
import type { Fetched } from '../hooks';

const NUMBER = new Intl.NumberFormat();

interface Figure {
  of: number;
  /** As it is written where that is not the bare number, such as `+3`, `12 %` and `4 min`. */
  text?: string;
}

/**
 * A number that leads to what explains it: its events, its records, the list that it counts. Nought leads nowhere,
 * unless it has events too. A number without such a place is an `OwnCount`, and says why.
 */
export function Count({
  of,
  text = NUMBER.format(of),
  to,
  names,
  always,
  quiet,
  aside,
}: Figure & {
  to: string;
  /** What it counts, for screen readers: `3` is heard as `3 order lines short`. */
  names: string;
  /** Where it leads although it is nought. */
  always?: boolean;
  /** Looks like a number until it is pointed at: for tables of nothing but figures. */
  quiet?: boolean;
  /** Opens beside this page, where leaving it would lose what was typed. */
  aside?: boolean;
}) {
  if (of === 0 && !always) return <span class="count zero">{text}</span>;
  const tone = quiet && (of < 0 ? 'below' : of === 0 && 'zero');
  return (
    <a
      class={['count', quiet && 'units', tone].filter(Boolean).join(' ')}
      href={to}
      aria-label={`${text} ${names}`}
      {...(aside && { target: '_blank', rel: 'noreferrer' })}
    >
      {text}
    </a>
  );
}

/** Why a number needs no link of its own. */
export type Own =
  /** What explains it is listed beside it or below it. */
  | 'listed'
  /** It is the record: a quantity of its own row, a figure of its own report. */
  | 'recorded'
  /** As a person has set it. */
  | 'set'
  /** What a person has just chosen. */
  | 'chosen'
  /** How far a task is. */
  | 'progress'
  /** Reckoned just now, for a person to look at; nothing of it is kept. */
  | 'reckoned'
  /** Only counted: what it counts is kept nowhere. */
  | 'tally'
  /** It stands on what opens the explanation: a button, a summary, a link with more words. */
  | 'opens';

export function OwnCount({ of, text = NUMBER.format(of), as }: Figure & { as: Own }) {
  return (
    <span class="count" data-own={as}>
      {text}
    </span>
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
