import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiProblem } from '../api';
import { sentence } from './basics';
import { Dialog } from './dialog';
import { toast } from './toast';

/**
 * A form in a dialog. What `act` throws is told in it, and leaves it as it was filled in; in the corner where the dialog
 * went meanwhile with what it was about.
 */
export function DialogForm({
  title,
  confirm,
  act,
  onLeave,
  disabled = false,
  unread,
  children,
}: {
  title: string;
  confirm: string;
  /** It cannot be done. */
  disabled?: boolean;
  /** Why what it shows could not be read; told until it is tried. */
  unread?: string;
  act: (form: HTMLFormElement) => Promise<void>;
  onLeave: () => void;
  children: ComponentChildren;
}) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const isGone = useRef(false);
  useEffect(() => () => void (isGone.current = true), []);
  const told = problem ?? (unread && `What is asked about could not be read: ${sentence(unread)}`);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      await act(event.currentTarget as HTMLFormElement);
    } catch (error) {
      const why = `That was not done: ${sentence((error as ApiProblem).message)}`;
      if (isGone.current) return toast(why);
      setProblem(why);
      setBusy(false);
    }
  }

  return (
    <Dialog title={title} onClose={onLeave}>
      <form onSubmit={(event) => void submit(event)}>
        {children}
        {told && (
          <p role="alert" class="notice bad">
            {told}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy || disabled}>
            {busy ? 'Working…' : confirm}
          </button>
          <button type="button" onClick={onLeave}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
