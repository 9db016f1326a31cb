import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type ApiProblem, call } from '../api';
import { type Scope, useMay } from '../session';
import { sentence } from './basics';
import { DialogForm } from './dialog-form';
import { OpenButton } from './open-button';
import { ReasonField } from './reason-field';
import { toast } from './toast';

export interface Question {
  title: string;
  /** What it does, and whether it can be taken back. */
  explains: ComponentChildren;
  /** Where the answer goes, with `body`, `reason` unless none is kept, and `message` where the customer is told. */
  method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: object;
  keepsNoReason?: boolean;
  asksMessage?: boolean;
  confirm: string;
  /** Said once it is done; nothing when absent. */
  done?: string;
}

/** Asks a person why, and then does it. Nothing is sent before the form is. */
export function Ask({ question, onDone }: { question: Question; onDone: (done: boolean) => void }) {
  const {
    title,
    explains,
    method = 'POST',
    path,
    body,
    keepsNoReason,
    asksMessage,
    confirm,
    done,
  } = question;
  const [reason, setReason] = useState('');
  const [message, setMessage] = useState('');

  async function act() {
    const told = {
      ...body,
      ...(!keepsNoReason && { reason }),
      ...(message.trim() && { message }),
    };
    await call(method, path, method === 'DELETE' ? undefined : told);
    if (done) toast(done);
    onDone(true);
  }

  return (
    <DialogForm title={title} confirm={confirm} act={act} onLeave={() => onDone(false)}>
      <p>{explains}</p>
      {!keepsNoReason && <ReasonField id="ask-reason" value={reason} onChange={setReason} />}
      {asksMessage && <MessageField value={message} onChange={setMessage} />}
    </DialogForm>
  );
}

function MessageField({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  return (
    <>
      <label for="ask-message">Message to the customer; the channel's template when empty</label>
      <textarea
        id="ask-message"
        rows={5}
        maxLength={2000}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </>
  );
}

/** A button that asks before it acts. Left out where the session's key lacks the scope: see `ScopeNote`. */
export function AskButton({
  question,
  ...button
}: {
  needs: Scope;
  question: Question;
  label: string;
  name?: string;
  primary?: boolean;
  onDone: () => void;
}) {
  return <OpenButton {...button} dialog={(close) => <Ask question={question} onDone={close} />} />;
}

/** A button that acts at once, for what does no harm. Says how it went; left out without the scope. */
export function ActButton({
  needs,
  method = 'POST',
  path,
  body,
  label,
  name,
  done,
  onDone,
}: {
  needs: Scope;
  method?: 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: object;
  label: string;
  name?: string;
  done: string;
  onDone: () => void;
}) {
  const [busy, setBusy] = useState(false);
  if (!useMay(needs)) return null;
  async function act() {
    setBusy(true);
    try {
      await call(method, path, body);
      toast(done);
      onDone();
    } catch (error) {
      toast(`That was not done: ${sentence((error as ApiProblem).message)}`);
    } finally {
      setBusy(false);
    }
  }
  return (
    <button type="button" aria-label={name} disabled={busy} onClick={() => void act()}>
      {label}
    </button>
  );
}
