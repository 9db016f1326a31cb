import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type Scope, useMay } from '../session';

/** A button that opens a dialog; left out where the session's key lacks the scope. */
export function OpenButton({
  needs,
  label,
  name,
  primary,
  disabled,
  why,
  describedBy,
  dialog,
  onDone,
}: {
  needs: Scope;
  label: string;
  /** For screen readers, where several buttons of a page say the same. */
  name?: string;
  primary?: boolean;
  disabled?: boolean;
  /** Why it cannot be done, told with the disabled button. */
  why?: string;
  /** The id of what tells it beside the button. */
  describedBy?: string;
  /** Closes with true when it was done. */
  dialog: (close: (done: boolean) => void) => ComponentChildren;
  onDone: () => void;
}) {
  const [isOpen, setIsOpen] = useState(false);
  if (!useMay(needs)) return null;
  const close = (done: boolean) => {
    setIsOpen(false);
    if (done) onDone();
  };
  return (
    <>
      <button
        type="button"
        class={primary ? 'primary' : undefined}
        aria-label={name}
        title={why}
        aria-describedby={describedBy}
        disabled={disabled}
        onClick={() => setIsOpen(true)}
      >
        {label}
      </button>
      {isOpen && dialog(close)}
    </>
  );
}
