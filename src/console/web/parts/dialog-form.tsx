import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiProblem } from '../api';
import { sentence } from './basics';
import { Dialog } from './dialog';

/** A form in a dialog. What `act` throws is told in it, and leaves it as it was filled in. */
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
  const shown = problem ?? unread;

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      await act(event.currentTarget as HTMLFormElement);
    } catch (error) {
      setProblem((error as ApiProblem).message);
      setBusy(false);
    }
  }

  return (
    <Dialog title={title} onClose={onLeave}>
      <form onSubmit={(event) => void submit(event)}>
        {children}
        {shown && (
          <p role="alert" class="notice bad">
            That was not done: {sentence(shown)}
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
