import { useEffect, useState } from 'preact/hooks';
import { call } from '../api';
import { useApi } from '../hooks';
import { DialogForm } from '../parts/dialog-form';
import { type Deed, DoButton } from '../parts/do';
import { OpenButton } from '../parts/open-button';
import { ReasonField } from '../parts/reason-field';
import { toast } from '../parts/toast';
import { useMay } from '../session';
import type { Oversell, OversellState } from './oversell-case';

type Verb = 'backorder' | 'hold' | 'close' | 'retry';

/** From which states the host lets a person do it. */
const FROM: Record<Verb | 'cancel', OversellState[]> = {
  cancel: ['held', 'grace', 'backordered', 'closed'],
  backorder: ['held', 'grace', 'closed'],
  retry: ['held', 'grace', 'backordered'],
  hold: ['grace', 'backordered', 'cancelling', 'pending', 'closed'],
  close: ['held', 'grace', 'backordered'],
};

interface Words {
  label: string;
  title: (which: string) => string;
  explains: string;
  done: (which: string) => string;
}

const WORDS: Record<Verb, Words> = {
  backorder: {
    label: 'Backorder',
    title: (which) => `Let ${which} wait for stock`,
    explains: 'What comes is reserved for the oldest orders first. To undo it, hold it again.',
    done: (which) => `${which} waits for stock; “Hold” undoes that`,
  },
  hold: {
    label: 'Hold',
    title: (which) => `Hold ${which}`,
    explains:
      'Nothing is done by itself until a person decides. A cancellation that the channel was asked for already stays asked: that cannot be undone here.',
    done: (which) => `${which} waits for a decision`,
  },
  close: {
    label: 'Close',
    title: (which) => `Close ${which}`,
    explains:
      'It was taken care of elsewhere. It is kept among the closed ones, where “Hold” undoes this, and opens again when more is short.',
    done: (which) => `${which} is closed; among the closed ones, “Hold” undoes that`,
  },
  retry: {
    label: 'Reserve',
    title: (which) => `Reserve for ${which}`,
    explains: 'What is there now is reserved for it. To undo it, cancel the order at its channel.',
    done: (which) => `What there is was reserved for ${which}`,
  },
};

export function OversellActions({ oversell, onDone }: { oversell: Oversell; onDone: () => void }) {
  const { id, channel, orderId, state } = oversell;
  const which = `order ${orderId} of ${channel}`;
  if (!useMay('channels:write')) return null;
  const [first] = oversell.candidates;
  const proposed = first?.isShort ? 'cancel' : 'backorder';
  const verbs = (Object.keys(WORDS) as Verb[]).filter((verb) => FROM[verb].includes(state));
  const deedOf = (verb: Verb): Deed => ({
    title: WORDS[verb].title(which),
    explains: WORDS[verb].explains,
    confirm: WORDS[verb].label,
    ...(verb !== 'retry' && { reason: 'required' as const }),
    act: async (reason) => {
      await call('POST', `/v1/oversells/${id}/${verb}`, verb === 'retry' ? undefined : { reason });
      const said = WORDS[verb].done(which);
      return { done: said.charAt(0).toUpperCase() + said.slice(1) };
    },
  });
  return (
    <div class="buttons">
      {FROM.cancel.includes(state) && (
        <CancelButton
          oversell={oversell}
          primary={proposed === 'cancel' && state === 'held'}
          onDone={onDone}
        />
      )}
      {verbs.map((verb) => (
        <DoButton
          key={verb}
          needs="channels:write"
          primary={verb === proposed && state === 'held'}
          label={WORDS[verb].label}
          deed={deedOf(verb)}
          onDone={onDone}
        />
      ))}
    </div>
  );
}

function CancelButton({
  oversell,
  primary,
  onDone,
}: {
  oversell: Oversell;
  primary: boolean;
  onDone: () => void;
}) {
  const { id, cannotCancel } = oversell;
  const cannot = cannotCancel === null ? undefined : `cannot-${id}`;
  return (
    <>
      <OpenButton
        needs="channels:write"
        label="Cancel it"
        primary={primary}
        disabled={cannotCancel !== null}
        describedBy={cannot}
        dialog={(close) => <CancelDialog oversell={oversell} onClose={close} />}
        onDone={onDone}
      />
      {cannot && (
        <span id={cannot} class="quiet">
          It cannot be cancelled from here: {cannotCancel}.
        </span>
      )}
    </>
  );
}

interface Draft {
  lines: { lineId: string; quantityUnits: number }[];
  reason: string;
  message: string;
}

/** The channel's template, filled in, for a person to send as it is or in other words. */
function CancelDialog({
  oversell: { id, channel, orderId },
  onClose,
}: {
  oversell: Oversell;
  onClose: (done: boolean) => void;
}) {
  const shown = useApi<{ draft: Draft | null }>(`/v1/oversells/${id}`);
  const [message, setMessage] = useState('');
  const [reason, setReason] = useState('');
  const draft = shown.data?.draft;
  useEffect(() => setMessage(draft?.message ?? ''), [draft?.message]);

  async function act() {
    // The API takes a message of one line.
    const text = message.replace(/\s+/g, ' ').trim();
    await call('POST', `/v1/oversells/${id}/cancel`, { reason, ...(text && { message: text }) });
    toast(`${channel} is asked to cancel what is short of order ${orderId}`);
    onClose(true);
  }

  return (
    <DialogForm
      title={`Cancel what is short of order ${orderId} of ${channel}`}
      confirm="Cancel it"
      act={act}
      disabled={draft === null}
      unread={shown.problem?.message}
      onLeave={() => onClose(false)}
    >
      <WhatIsAsked draft={draft} />
      <label for="cancel-message">Message to the customer</label>
      <textarea
        id="cancel-message"
        rows={5}
        maxLength={2000}
        value={message}
        aria-busy={shown.loading}
        onInput={(event) => setMessage(event.currentTarget.value)}
      />
      <ReasonField id="cancel-reason" value={reason} onChange={setReason} />
    </DialogForm>
  );
}

function WhatIsAsked({ draft }: { draft: Draft | null | undefined }) {
  const units = draft?.lines.reduce((sum, { quantityUnits }) => sum + quantityUnits, 0);
  return (
    <>
      <p>
        The channel is asked to cancel and refund{' '}
        {units === undefined ? 'it' : `${units} ${units === 1 ? 'unit' : 'units'}`}
        {draft && `, for its own records: “${draft.reason}”`}. Until it was asked, “Hold” undoes that;
        afterwards nothing does.
      </p>
      {draft === null && <p class="notice warn">Nothing of what is short can be cancelled any more.</p>}
    </>
  );
}
