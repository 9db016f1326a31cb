import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiProblem } from '../api';
import type { Scope } from '../session';
import { Dialog } from './dialog';
import { DialogForm } from './dialog-form';
import { OpenButton } from './open-button';
import { ReasonField } from './reason-field';
import { toast } from './toast';

/** What came of it: said in the corner, and what was refused stays in the dialog, each with its reason. */
export interface Outcome {
  done: string;
  refused?: { name: string; reason: string }[];
}

export interface Deed {
  title: string;
  /** What it does, and whether it can be taken back. */
  explains: ComponentChildren;
  confirm: string;
  /** `optional` where the API keeps one but does not ask for it. */
  reason?: 'required' | 'optional';
  act(reason: string): Promise<Outcome>;
}

/** A button that asks, then does something with one thing or many, and says what came of each. */
export function DoButton({
  deed,
  ...button
}: {
  needs: Scope;
  deed: Deed;
  label: string;
  name?: string;
  disabled?: boolean;
  primary?: boolean;
  why?: string;
  onDone: () => void;
}) {
  return <OpenButton {...button} dialog={(close) => <DoDialog deed={deed} onClose={close} />} />;
}

function DoDialog({ deed, onClose }: { deed: Deed; onClose: (done: boolean) => void }) {
  // As it was when it was asked: the list behind it may change meanwhile.
  const [{ title, explains, confirm, reason: asked, act }] = useState(deed);
  const [reason, setReason] = useState('');
  const [outcome, setOutcome] = useState<Outcome>();

  async function submit() {
    const came = await act(reason);
    toast(came.done);
    if (came.refused?.length) setOutcome(came);
    else onClose(true);
  }

  if (outcome) return <Refused of={outcome} onClose={() => onClose(true)} />;
  return (
    <DialogForm title={title} confirm={confirm} act={submit} onLeave={() => onClose(false)}>
      <div>{explains}</div>
      {asked && (
        <ReasonField id="do-reason" value={reason} onChange={setReason} isOptional={asked === 'optional'} />
      )}
    </DialogForm>
  );
}

function Refused({ of, onClose }: { of: Outcome; onClose: () => void }) {
  return (
    <Dialog title={of.done} onClose={onClose}>
      <ul class="refused">
        {of.refused!.map(({ name, reason: why }) => (
          <li key={name}>
            <strong>{name}</strong>: {why}
          </li>
        ))}
      </ul>
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          Go on
        </button>
      </div>
    </Dialog>
  );
}

/** Does it with each, one after the other, and goes on where one is refused. */
export async function withEach<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  act: (item: T) => Promise<unknown>,
  say: (done: number) => string,
): Promise<Outcome> {
  const refused: { name: string; reason: string }[] = [];
  for (const item of items) {
    try {
      await act(item);
    } catch (error) {
      refused.push({ name: nameOf(item), reason: (error as ApiProblem).message });
    }
  }
  const failed = refused.length > 0 ? `, ${refused.length} not` : '';
  return { done: `${say(items.length - refused.length)}${failed}`, refused };
}
