import { useEffect, useState } from 'preact/hooks';
import { useApi } from '../hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Ask, type Question } from '../parts/ask';
import { Badge, Count, Shown, type Tone } from '../parts/basics';
import { Time } from '../parts/time';
import { useMay } from '../session';
import type { Oversell, Page } from '../types';

export const oversellsPage: ConsolePage = {
  path: '/oversells',
  title: 'Oversells',
  group: 'Desk',
  needs: 'channels:read',
  waits: ({ channels }) =>
    channels && {
      count: channels.reduce((sum, { openShortfalls }) => sum + openShortfalls, 0),
      names: 'order lines short',
    },
  View: Desk,
};

const STATES: Record<Oversell['state'], { tone: Tone; text: string }> = {
  held: { tone: 'bad', text: 'waits for a decision' },
  grace: { tone: 'warn', text: 'will be cancelled' },
  backordered: { tone: 'warn', text: 'waits for stock' },
  cancelling: { tone: 'warn', text: 'is being cancelled' },
  pending: { tone: 'warn', text: 'the channel decides' },
  resolved: { tone: 'good', text: 'covered' },
  closed: { tone: 'plain', text: 'closed' },
};

/** Orders that a channel accepted and stock does not cover: one by one, with who took the units. */
function Desk() {
  const mayAct = useMay('channels:write');
  const oversells = useApi<Page<Oversell>>('/v1/oversells?state=open&limit=100');
  const [question, setQuestion] = useState<Question>();
  const short = useLive().channels?.reduce((sum, { openShortfalls }) => sum + openShortfalls, 0);
  useEffect(oversells.reload, [short, oversells.reload]);
  return (
    <>
      <h1>Oversells</h1>
      <Shown
        of={oversells}
        isEmpty={({ items }) => items.length === 0}
        empty={<p>Every order that a channel accepted is covered.</p>}
      >
        {({ items, nextCursor }) => (
          <>
            {items.map((oversell) => (
              <OversellCard key={oversell.id} oversell={oversell} ask={mayAct ? setQuestion : undefined} />
            ))}
            {nextCursor && <p class="quiet">There are more; these are the oldest hundred.</p>}
          </>
        )}
      </Shown>
      {question && (
        <Ask
          question={question}
          onDone={(done) => {
            setQuestion(undefined);
            if (done) oversells.reload();
          }}
        />
      )}
    </>
  );
}

function OversellCard({ oversell, ask }: { oversell: Oversell; ask?: (question: Question) => void }) {
  const { channel, orderId, state, units, note, dueAt, placedAt, shortfalls } = oversell;
  const { tone, text } = STATES[state];
  return (
    <article class="listing" aria-label={`Order ${orderId} of ${channel}`}>
      <header class="row">
        <h2>
          {channel}, order {orderId}
        </h2>
        <Badge tone={tone}>{text}</Badge>
      </header>
      <p class="quiet">
        <Count of={units} /> {units === 1 ? 'unit' : 'units'} short
        {placedAt && (
          <>
            , placed <Time at={placedAt} />
          </>
        )}
        {dueAt && (
          <>
            , due <Time at={dueAt} />
          </>
        )}
        {note && `; ${note}`}
      </p>
      <ul>
        {shortfalls.map((shortfall) => (
          <Shortfall key={shortfall.id} shortfall={shortfall} />
        ))}
      </ul>
      {ask && <Actions oversell={oversell} ask={ask} />}
    </article>
  );
}

function Shortfall({ shortfall: { sku, quantity, takenBy } }: { shortfall: Oversell['shortfalls'][number] }) {
  const takers = takenBy.map(
    ({ channel, orderId, quantity: units, secondsBefore }) =>
      `${units} by ${channel && orderId ? `${channel}, order ${orderId}` : 'a reservation'}, ${secondsBefore} s before`,
  );
  return (
    <li>
      <Count of={quantity} /> of <a href={`#/stock/${encodeURIComponent(sku)}`}>{sku}</a>
      {takers.length > 0 && <span class="quiet"> (taken: {takers.join('; ')})</span>}
    </li>
  );
}

const CAN: Record<'cancel' | 'backorder' | 'hold' | 'close' | 'retry', Oversell['state'][]> = {
  cancel: ['held', 'grace', 'backordered'],
  backorder: ['held', 'grace'],
  hold: ['grace', 'backordered', 'cancelling', 'pending'],
  close: ['held', 'grace', 'backordered'],
  retry: ['held', 'grace', 'backordered'],
};

function Actions({ oversell, ask }: { oversell: Oversell; ask: (question: Question) => void }) {
  const { id, channel, orderId, state } = oversell;
  const which = `order ${orderId} of ${channel}`;
  const questions: Record<keyof typeof CAN, Question> = {
    cancel: {
      title: `Cancel what is short of ${which}`,
      explains: 'The channel is asked to cancel and refund it. That cannot be taken back.',
      path: `/v1/oversells/${id}/cancel`,
      asksMessage: true,
      confirm: 'Cancel it',
    },
    backorder: {
      title: `Let ${which} wait for stock`,
      explains: 'What comes is reserved for the oldest orders first. It can be held again.',
      path: `/v1/oversells/${id}/backorder`,
      confirm: 'Backorder',
    },
    hold: {
      title: `Hold ${which}`,
      explains:
        'Nothing is done by itself until a person decides. What the channel was asked already stays asked.',
      path: `/v1/oversells/${id}/hold`,
      confirm: 'Hold',
    },
    close: {
      title: `Close ${which}`,
      explains: 'It was taken care of elsewhere. It opens again when more is short.',
      path: `/v1/oversells/${id}/close`,
      confirm: 'Close',
    },
    retry: {
      title: `Reserve for ${which}`,
      explains: 'What is there now is reserved for it.',
      path: `/v1/oversells/${id}/retry`,
      confirm: 'Reserve',
    },
  };
  const names = (Object.keys(CAN) as (keyof typeof CAN)[]).filter((name) => CAN[name].includes(state));
  return (
    <div class="buttons">
      {names.map((name) => (
        <button key={name} type="button" onClick={() => ask(questions[name])}>
          {questions[name].confirm}
        </button>
      ))}
    </div>
  );
}
