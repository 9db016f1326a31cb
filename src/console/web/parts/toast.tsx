import { useEffect, useState } from 'preact/hooks';

interface Note {
  id: number;
  text: string;
}

const SHOWN_MS = 6_000;
let notes: Note[] = [];
let last = 0;
const watchers = new Set<() => void>();

/** Says for a while what was done, to screen readers as well. */
export function toast(text: string): void {
  const note = { id: ++last, text };
  notes = [...notes, note];
  changed();
  setTimeout(() => {
    notes = notes.filter(({ id }) => id !== note.id);
    changed();
  }, SHOWN_MS);
}

function changed(): void {
  for (const watcher of watchers) watcher();
}

/** Stands in the page from the start: what appears in a region that is new is read out by nobody. */
export function Toasts() {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const watcher = () => setTurn((turn) => turn + 1);
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
  return (
    <div class="toasts" aria-live="polite">
      {notes.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
