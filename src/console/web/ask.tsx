import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiProblem, call } from './api';

export interface Question {
  title: string;
  /** What it does, and whether it can be taken back. */
  explains: ComponentChildren;
  /** Where the answer goes, with `body`, `reason` unless none is kept, and `message` where the customer is told. */
  path: string;
  body?: object;
  keepsNoReason?: boolean;
  asksMessage?: boolean;
  confirm: string;
}

/** Asks a person why, and then does it. Nothing is sent before the form is. */
export function Ask({ question, onDone }: { question: Question; onDone: (done: boolean) => void }) {
  const { title, explains, path, body, keepsNoReason, asksMessage, confirm } = question;
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [message, setMessage] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      await call('POST', path, {
        ...body,
        ...(!keepsNoReason && { reason }),
        ...(message.trim() && { message }),
      });
      onDone(true);
    } catch (error) {
      setProblem((error as ApiProblem).message);
      setBusy(false);
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby="ask-title" onClose={() => onDone(false)}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="ask-title">{title}</h2>
        <p>{explains}</p>
        {!keepsNoReason && (
          <>
            <label for="ask-reason">Reason, for whoever asks later</label>
            <input
              id="ask-reason"
              required
              maxLength={500}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </>
        )}
        {asksMessage && (
          <>
            <label for="ask-message">Message to the customer; the channel's template when empty</label>
            <textarea
              id="ask-message"
              rows={5}
              maxLength={2000}
              value={message}
              onInput={(event) => setMessage(event.currentTarget.value)}
            />
          </>
        )}
        {problem && (
          <p role="alert" class="notice bad">
            That was not done: {problem}.
          </p>
        )}
        <div class="pages">
          <button type="submit" class="primary" disabled={busy}>
            {confirm}
          </button>
          <button type="button" onClick={() => onDone(false)}>
            Leave it
          </button>
        </div>
      </form>
    </dialog>
  );
}
