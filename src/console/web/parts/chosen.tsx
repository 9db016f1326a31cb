import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { OwnCount } from './basics';
import type { Column } from './table';

export interface Chosen<T> {
  items: T[];
  /** Goes first in the table: a box for each row. */
  column: Column<T>;
  all(): void;
  none(): void;
}

/**
 * Rows of a table that a person chooses to do something with. Space chooses, the arrow keys go from box to box, and
 * Shift with a click or with Space takes all since the last one.
 */
export function useChosen<T>(
  shown: readonly T[],
  keyOf: (item: T) => string | number,
  nameOf: (item: T) => string,
): Chosen<T> {
  const [keys, setKeys] = useState<ReadonlySet<string | number>>(new Set());
  // Of this page: on another one it stands nowhere, and Shift takes the one alone.
  const last = useRef<string | number | undefined>(undefined);
  const toggle = (item: T, extend: boolean) => {
    const at = shown.indexOf(item);
    const before = extend ? shown.findIndex((each) => keyOf(each) === last.current) : -1;
    const from = before >= 0 ? before : at;
    const isChosen = !keys.has(keyOf(item));
    const next = new Set(keys);
    for (const each of shown.slice(Math.min(from, at), Math.max(from, at) + 1))
      if (isChosen) next.add(keyOf(each));
      else next.delete(keyOf(each));
    last.current = keyOf(item);
    setKeys(next);
  };
  return {
    items: shown.filter((item) => keys.has(keyOf(item))),
    all: () => setKeys(new Set(shown.map(keyOf))),
    none: () => setKeys(new Set()),
    column: {
      name: 'Choose',
      class: 'box',
      of: (item) => (
        <input
          type="checkbox"
          aria-label={`Choose ${nameOf(item)}`}
          checked={keys.has(keyOf(item))}
          onClick={(event) => toggle(item, event.shiftKey)}
          onKeyDown={move}
        />
      ),
    },
  };
}

function move(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const box = event.currentTarget as HTMLInputElement;
  if (step === undefined) return;
  const boxes = [...(box.closest('tbody')?.querySelectorAll<HTMLInputElement>('.box input') ?? [])];
  boxes[boxes.indexOf(box) + step]?.focus();
  event.preventDefault();
}

/** What can be done with the chosen rows; stays in view while the table scrolls. */
export function ChosenBar<T>({
  of: { items, all, none },
  shown,
  children,
}: {
  of: Chosen<T>;
  /** How many there are to choose from. */
  shown: number;
  children: ComponentChildren;
}) {
  return (
    <div class={items.length > 0 ? 'chosen some' : 'chosen'} role="group" aria-label="With the chosen ones">
      <span aria-live="polite">
        <OwnCount of={items.length} as="chosen" /> chosen
      </span>
      {items.length < shown && (
        <button type="button" onClick={all}>
          Choose all <OwnCount of={shown} as="opens" />
        </button>
      )}
      {items.length > 0 && (
        <button type="button" onClick={none}>
          Choose none
        </button>
      )}
      <span class="chosen-acts">{children}</span>
    </div>
  );
}
