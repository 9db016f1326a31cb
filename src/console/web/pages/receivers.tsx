import { useState } from 'preact/hooks';
import { type ApiProblem, call } from '../api';
import { useApi, useEvery } from '../hooks';
import type { ConsolePage } from '../pages';
import { ActButton } from '../parts/ask';
import { Badge, Count, Heading, OwnCount, Section, sentence, Shown, type Tone } from '../parts/basics';
import { ChoiceFilter, Filters } from '../parts/filters';
import { type Column, PagedTable, Table, usePaged } from '../parts/table';
import { Ago } from '../parts/time';
import { toast } from '../parts/toast';
import { linkTo, useQuery } from '../route';
import { ScopeNote, useMay } from '../session';
import type { Delivery, Page, Receiver } from '../types';

export const receiversPage: ConsolePage = {
  path: '/receivers',
  title: 'Receivers',
  group: 'Host',
  needs: 'channels:read',
  View: Receivers,
};

const READ_EVERY_MS = 5_000;

/** Who outside is told of events and alerts, and whether it arrived. */
function Receivers() {
  const receivers = useApi<Page<Receiver>>('/v1/receivers');
  return (
    <>
      <Heading title="Receivers">
        Who outside is told of events and alerts: webhooks, chats and mail. They are named in{' '}
        <code>onhand.yaml</code>.
      </Heading>
      <ScopeNote needs="channels:write" to="send a test or send again" />
      <Shown
        of={receivers}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <p>
            Nobody is told yet. Name one under <code>receivers</code> in <code>onhand.yaml</code>.
          </p>
        }
      >
        {({ items }) => (
          <Table
            label="Receivers"
            columns={columnsOf(receivers.reload)}
            items={items}
            keyOf={({ name }) => name}
          />
        )}
      </Shown>
      <Deliveries receivers={receivers.data?.items ?? []} />
    </>
  );
}

function columnsOf(reload: () => void): Column<Receiver>[] {
  return [
    {
      name: 'Receiver',
      heading: true,
      of: ({ name }) => <a href={linkTo('/receivers', { receiver: name })}>{name}</a>,
    },
    {
      name: 'Where',
      of: ({ kind, address }) => (
        <>
          {kind}
          <span class="quiet why">{address}</span>
        </>
      ),
    },
    { name: 'Is told of', class: 'long', of: ({ events }) => events.join(', ') },
    { name: 'State', class: 'long', of: (receiver) => <ReceiverState receiver={receiver} /> },
    {
      name: 'Waiting',
      number: true,
      of: ({ name, waiting }) => (
        <Count
          of={waiting}
          to={linkTo('/receivers', { receiver: name, state: 'waiting' })}
          names={`waiting for ${name}`}
        />
      ),
    },
    {
      name: 'Given up',
      number: true,
      of: ({ name, givenUp }) => (
        <Count
          of={givenUp}
          to={linkTo('/receivers', { receiver: name, state: 'given-up' })}
          names={`given up for ${name}`}
        />
      ),
    },
    { name: 'Do', class: 'actions', of: ({ name }) => <TestButton name={name} onDone={reload} /> },
  ];
}

const RECEIVER_STATES: Record<Receiver['state'], { tone: Tone; text: string }> = {
  active: { tone: 'good', text: 'active' },
  failing: { tone: 'bad', text: 'failing' },
  disabled: { tone: 'warn', text: 'wants nothing any more' },
};

function ReceiverState({ receiver }: { receiver: Receiver }) {
  const { state, failingSince, lastStatus, lastError, lastDeliveredAt } = receiver;
  const { tone, text } = RECEIVER_STATES[state] ?? { tone: 'plain', text: state };
  return (
    <>
      <Badge tone={tone}>{text}</Badge>
      <span class="quiet why">
        {failingSince ? (
          <>
            since <Ago at={failingSince} />: {whyOf({ status: lastStatus, error: lastError })}
          </>
        ) : (
          lastDeliveredAt && (
            <>
              took something <Ago at={lastDeliveredAt} />
            </>
          )
        )}
      </span>
    </>
  );
}

interface Tested {
  delivered: boolean;
  status: number | null;
  error: string | null;
}

function TestButton({ name, onDone }: { name: string; onDone: () => void }) {
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<Tested>();
  if (!useMay('channels:write')) return null;
  async function test() {
    setBusy(true);
    try {
      const answer = await call<Tested>('POST', `/v1/receivers/${encodeURIComponent(name)}/test`);
      setTold(answer);
      toast(answer.delivered ? `${name} took the test.` : `${name} did not take the test: ${whyOf(answer)}.`);
      onDone();
    } catch (error) {
      toast(`That was not done: ${sentence((error as ApiProblem).message)}`);
    } finally {
      setBusy(false);
    }
  }
  return (
    <>
      <button type="button" aria-label={`Send a test: ${name}`} disabled={busy} onClick={() => void test()}>
        Send a test
      </button>
      {told && (
        <Badge tone={told.delivered ? 'good' : 'bad'}>{told.delivered ? 'it arrived' : whyOf(told)}</Badge>
      )}
    </>
  );
}

function whyOf({ status, error }: Pick<Tested, 'status' | 'error'>): string {
  return error ?? (status === null ? 'no answer' : `it answered ${status}`);
}

const STATES: Record<Delivery['state'], { tone: Tone; text: string }> = {
  waiting: { tone: 'warn', text: 'waiting' },
  delivered: { tone: 'good', text: 'delivered' },
  'given-up': { tone: 'bad', text: 'given up' },
};

function Deliveries({ receivers }: { receivers: Receiver[] }) {
  const [{ receiver, state }] = useQuery();
  const deliveries = usePaged<Delivery>('/v1/deliveries', { receiver, state });
  useEvery(READ_EVERY_MS, deliveries.reload);
  return (
    <Section id="deliveries" title="Deliveries">
      <Filters>
        <ChoiceFilter
          name="receiver"
          label="Receiver"
          choices={[
            { value: '', text: 'any' },
            ...receivers.map(({ name }) => ({ value: name, text: name })),
          ]}
        />
        <ChoiceFilter
          name="state"
          label="State"
          choices={[
            { value: '', text: 'any' },
            ...Object.entries(STATES).map(([value, { text }]) => ({ value, text })),
          ]}
        />
      </Filters>
      <PagedTable
        of={deliveries}
        label="Deliveries"
        columns={deliveryColumns(deliveries.reload)}
        keyOf={({ id }) => id}
        empty={<p>Nothing was sent{receiver || state ? ' that is like that' : ' yet'}.</p>}
      />
    </Section>
  );
}

function deliveryColumns(reload: () => void): Column<Delivery>[] {
  return [
    { name: 'When', of: ({ createdAt }) => <Ago at={createdAt} /> },
    { name: 'Receiver', of: ({ receiver }) => receiver },
    {
      name: 'Event',
      heading: true,
      of: ({ event, subject }) => (
        <>
          {event}
          {subject && <span class="quiet">{subject}</span>}
        </>
      ),
    },
    {
      name: 'State',
      class: 'long',
      of: ({ state, error, status, nextAt }) => (
        <>
          <Badge tone={STATES[state].tone}>{STATES[state].text}</Badge>
          {state === 'waiting' && nextAt && (
            <span class="quiet">
              {' '}
              tried <Ago at={nextAt} />
            </span>
          )}
          {state !== 'delivered' && (error || status !== null) && (
            <span class="quiet why">{whyOf({ status, error })}</span>
          )}
        </>
      ),
    },
    { name: 'Tries', number: true, of: ({ attempts }) => <OwnCount of={attempts} as="tally" /> },
    {
      name: 'Do',
      class: 'actions',
      of: ({ id, state, event, receiver }) =>
        state !== 'delivered' && (
          <ActButton
            needs="channels:write"
            path={`/v1/deliveries/${encodeURIComponent(id)}/retry`}
            label="Send again"
            name={`Send again: ${event} to ${receiver}`}
            done={`${event} is sent to ${receiver} again.`}
            onDone={reload}
          />
        ),
    },
  ];
}
