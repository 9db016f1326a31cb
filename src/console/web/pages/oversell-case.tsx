import { useState } from 'preact/hooks';
import { useApi } from '../hooks';
import { Badge, Count, OwnCount, Shown, type Tone } from '../parts/basics';
import { skuLink } from '../parts/levels';
import { duration, Time } from '../parts/time';
import { OversellActions } from './oversell-actions';

export type OversellState =
  'held' | 'grace' | 'backordered' | 'cancelling' | 'pending' | 'resolved' | 'closed';

interface Candidate {
  channel: string;
  orderId: string;
  isShort: boolean;
  freesUnits: number;
  place: number;
  reasons: string[];
}

interface Taker {
  channel: string | null;
  orderId: string | null;
  reservationId: string | null;
  quantity: number;
  secondsBefore: number;
}

export interface Oversell {
  id: number;
  channel: string;
  orderId: string;
  state: OversellState;
  units: number;
  note: string | null;
  dueAt: string | null;
  placedAt: string | null;
  openedAt: string;
  /** Why the channel cannot be asked to cancel it; null where it can. */
  cannotCancel: string | null;
  candidates: Candidate[];
  shortfalls: { id: number; lineId: string; sku: string; quantity: number; takenBy: Taker[] }[];
}

const STATES: Record<OversellState, { tone: Tone; text: string }> = {
  held: { tone: 'bad', text: 'waits for a decision' },
  grace: { tone: 'warn', text: 'will be cancelled' },
  backordered: { tone: 'warn', text: 'waits for stock' },
  cancelling: { tone: 'warn', text: 'is being cancelled' },
  pending: { tone: 'warn', text: 'the channel decides' },
  resolved: { tone: 'good', text: 'settled' },
  closed: { tone: 'plain', text: 'closed' },
};

export function OversellCase({ oversell, onDone }: { oversell: Oversell; onDone: () => void }) {
  const { id, channel, orderId, state, units, note, dueAt, placedAt, shortfalls, candidates } = oversell;
  const { tone, text } = STATES[state];
  return (
    <article class={`case ${tone}`} aria-label={`Order ${orderId} of ${channel}`}>
      <header class="row">
        <h2>
          {channel}, order {orderId}
        </h2>
        <Badge tone={tone}>{text}</Badge>
      </header>
      <p class="quiet">
        {units > 0 && (
          <>
            <OwnCount of={units} as="listed" /> {units === 1 ? 'unit' : 'units'} short
          </>
        )}
        {placedAt && (
          <>
            {units > 0 && ', '}placed <Time at={placedAt} />
          </>
        )}
        {dueAt && (
          <>
            , due <Time at={dueAt} />
          </>
        )}
        {note && `; ${note}`}
      </p>
      <div class="case-parts">
        {shortfalls.length > 0 && (
          <div>
            <h3>What is short, and who has it</h3>
            <ul>
              {shortfalls.map((shortfall) => (
                <Shortfall key={shortfall.id} shortfall={shortfall} />
              ))}
            </ul>
          </div>
        )}
        {candidates.length > 1 && units > 0 && <Candidates of={oversell} />}
      </div>
      <OversellActions oversell={oversell} onDone={onDone} />
      <WhatWasDone id={id} turn={`${state} ${units}`} />
    </article>
  );
}

function Shortfall({ shortfall: { sku, quantity, takenBy } }: { shortfall: Oversell['shortfalls'][number] }) {
  return (
    <li>
      <OwnCount of={quantity} as="listed" /> of <a href={skuLink(sku)}>{sku}</a>
      {takenBy.map((taker) => (
        <div key={`${taker.reservationId} ${taker.secondsBefore}`} class="quiet">
          <Taken sku={sku} of={taker} /> taken by <TakerLink sku={sku} of={taker} />,{' '}
          {duration(taker.secondsBefore)} before
        </div>
      ))}
    </li>
  );
}

function Taken({ sku, of: taker }: { sku: string; of: Taker }) {
  const to = takerLink(sku, taker);
  if (!to) return <OwnCount of={taker.quantity} as="recorded" />;
  return <Count of={taker.quantity} to={to} names={`of ${sku} taken: the events`} />;
}

function TakerLink({ sku, of: taker }: { sku: string; of: Taker }) {
  const { channel, orderId } = taker;
  const name = channel && orderId ? `${channel}, order ${orderId}` : 'a reservation';
  const to = takerLink(sku, taker);
  return to ? <a href={to}>{name}</a> : <>{name}</>;
}

function takerLink(sku: string, { channel, orderId, reservationId }: Taker): string | undefined {
  if (channel && orderId) return skuLink(sku, { show: 'events', channel, orderId });
  return reservationId ? skuLink(sku, { show: 'events', reservationId }) : undefined;
}

/** The order that is cheapest to cancel first; any but the short one is cancelled at its channel. */
function Candidates({ of: { candidates, shortfalls, units } }: { of: Oversell }) {
  const sku = shortfalls[0]?.sku;
  const [first] = candidates;
  return (
    <div>
      <h3>Which order to cancel</h3>
      <ol>
        {candidates.map(({ channel, orderId, isShort, place, reasons, freesUnits }) => (
          <li key={`${channel} ${orderId}`} class={place === 1 ? 'first' : undefined}>
            {sku && !isShort ? (
              <a href={skuLink(sku, { show: 'events', channel, orderId })}>
                {channel}, order {orderId}
              </a>
            ) : (
              `${channel}, order ${orderId}`
            )}
            {isShort && ' (this one)'}{' '}
            <span class="quiet">
              {[!isShort && freesUnits >= units && `has all ${units}`, ...reasons].filter(Boolean).join('; ')}
            </span>
          </li>
        ))}
      </ol>
      {first && !first.isShort && (
        <p class="quiet">
          Cancel order {first.orderId} at {first.channel}: its units come back by themselves. Let this one
          wait for stock meanwhile, and it gets them.
        </p>
      )}
    </div>
  );
}

interface Dealings {
  actions: { action: string; reason: string | null; actor: string; at: string }[];
  cancellations: {
    id: string;
    state: string;
    message: string;
    error: string | null;
    actor: string;
    attempts: number;
    intendedAt: string;
    answeredAt: string | null;
  }[];
}

function WhatWasDone({ id, turn }: { id: number; turn: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="quiet">What was done about it</summary>
      {open && <Done key={turn} id={id} />}
    </details>
  );
}

function Done({ id }: { id: number }) {
  const record = useApi<Dealings>(`/v1/oversells/${id}`);
  return (
    <Shown
      of={record}
      isEmpty={({ actions, cancellations }) => actions.length + cancellations.length === 0}
      empty={<p>Nothing yet.</p>}
    >
      {({ actions, cancellations }) => (
        <ul>
          {actions.map(({ action, reason, actor, at }) => (
            <li key={at}>
              <Time at={at} />: {action}
              {reason && `, “${reason}”`} <span class="quiet">by {actor}</span>
            </li>
          ))}
          {cancellations.map(({ id: key, state, message, error, actor, attempts, intendedAt }) => (
            <li key={key}>
              <Time at={intendedAt} />: cancellation {state}
              {attempts > 1 && (
                <>
                  , asked <OwnCount of={attempts} as="tally" /> times
                </>
              )}
              {error && `; ${error}`} <span class="quiet">by {actor}</span>
              <blockquote class="quiet">{message}</blockquote>
            </li>
          ))}
        </ul>
      )}
    </Shown>
  );
}
