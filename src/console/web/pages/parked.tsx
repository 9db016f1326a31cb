import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useApi } from '../hooks';
import type { ConsolePage } from '../pages';
import { Ask, type Question } from '../parts/ask';
import { Shown } from '../parts/basics';
import { Time } from '../parts/time';
import { useMay } from '../session';
import type { ChannelStatus, Page, Parked } from '../types';

export const parkedPage: ConsolePage = {
  path: '/parked',
  title: 'Parked',
  group: 'Desk',
  needs: 'channels:read',
  waits: ({ channels }) => channels && { count: parkedOf(channels), names: 'waiting for a person' },
  View: ParkedItems,
};

/** All that waits for a person, over the channels. */
export function parkedOf(channels: readonly ChannelStatus[]): number {
  return channels.reduce(
    (sum, { parkedListings, parkedLines, parkedOrders, inbox }) =>
      sum + parkedListings + parkedLines + parkedOrders + inbox.parked,
    0,
  );
}

/** One kind of things that wait for a person, and what can be done about one or about all of a channel. */
interface Kind {
  name: 'pushes' | 'webhooks' | 'orders' | 'lines';
  title: string;
  explains: ComponentChildren;
  what: (item: Parked) => string;
  canRetry: boolean;
  /** The request for one of them. */
  one: (item: Parked, action: 'retry' | 'dismiss') => Pick<Question, 'path' | 'body'>;
  keepsNoReason?: boolean;
}

const byId = (name: string) => (item: Parked, action: string) => ({
  path: `/v1/parked/${name}/${item.id}/${action}`,
});

const KINDS: Kind[] = [
  {
    name: 'pushes',
    title: 'Listings that their channel refuses',
    explains:
      'They were refused for good, or too often. What the channel said is what has to change there or in the mapping.',
    what: ({ channelSku }) => channelSku!,
    canRetry: true,
    one: ({ listingId }, action) => ({
      path: `/v1/parked/pushes/${action}`,
      body: { listings: [listingId] },
    }),
    keepsNoReason: true,
  },
  {
    name: 'lines',
    title: 'Order lines whose SKU nobody mapped',
    explains: 'Mapping the SKU applies them by itself. Dismiss what is none of our stock.',
    what: ({ channelSku, orderId }) => `${channelSku}, in order ${orderId}`,
    canRetry: false,
    one: byId('lines'),
  },
  {
    name: 'webhooks',
    title: 'Webhooks that could not be applied',
    explains: 'They are kept as they came.',
    what: ({ topic }) => topic!,
    canRetry: true,
    one: byId('webhooks'),
  },
  {
    name: 'orders',
    title: 'Orders that could not be read',
    explains: 'The channel listed them, and what it said of them was not understood.',
    what: ({ orderId }) => `order ${orderId ?? 'without an id'}`,
    canRetry: true,
    one: byId('orders'),
  },
];

function ParkedItems() {
  const mayAct = useMay('channels:write');
  return (
    <>
      <h1>Waiting for a person</h1>
      {KINDS.map((kind) => (
        <Section key={kind.name} kind={kind} mayAct={mayAct} />
      ))}
    </>
  );
}

function Section({ kind, mayAct }: { kind: Kind; mayAct: boolean }) {
  const { name, title, explains, what } = kind;
  const page = useApi<Page<Parked>>(`/v1/parked/${name}?limit=100`);
  const [question, setQuestion] = useState<Question>();
  return (
    <section>
      <h2 id={name}>{title}</h2>
      <Shown of={page} isEmpty={({ items }) => items.length === 0} empty={<p>None.</p>}>
        {({ items, nextCursor }) => (
          <>
            <p class="quiet">{explains}</p>
            <div class="scroll" role="region" aria-labelledby={name} tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Channel</th>
                    <th scope="col">What</th>
                    <th scope="col">Why</th>
                    <th scope="col">Since</th>
                    {mayAct && <th scope="col">Do</th>}
                  </tr>
                </thead>
                <tbody>
                  {items.map((item) => (
                    <tr key={item.id ?? item.listingId}>
                      <td>{item.channel}</td>
                      <th scope="row">{what(item)}</th>
                      <td>{item.error ?? item.reason}</td>
                      <td>
                        <Time at={item.parkedAt} />
                      </td>
                      {mayAct && (
                        <td class="actions">
                          <OneActions kind={kind} item={item} ask={setQuestion} />
                        </td>
                      )}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {mayAct && <AllActions kind={kind} items={items} ask={setQuestion} />}
            {nextCursor && <p class="quiet">There are more; these are the oldest hundred.</p>}
          </>
        )}
      </Shown>
      {question && (
        <Ask
          question={question}
          onDone={(done) => {
            setQuestion(undefined);
            if (done) page.reload();
          }}
        />
      )}
    </section>
  );
}

type AskFor = (question: Question) => void;

function OneActions({ kind, item, ask }: { kind: Kind; item: Parked; ask: AskFor }) {
  const name = `${kind.what(item)} of ${item.channel}`;
  const { keepsNoReason } = kind;
  return (
    <>
      {kind.canRetry && (
        <button
          type="button"
          aria-label={`Try again: ${name}`}
          onClick={() =>
            ask({ ...RETRY, title: `Try ${name} again`, keepsNoReason, ...kind.one(item, 'retry') })
          }
        >
          Try again
        </button>
      )}
      <button
        type="button"
        aria-label={`Dismiss: ${name}`}
        onClick={() =>
          ask({ ...DISMISS, title: `Dismiss ${name}`, keepsNoReason, ...kind.one(item, 'dismiss') })
        }
      >
        Dismiss
      </button>
    </>
  );
}

/** Where a channel has several of them: all at once. */
function AllActions({
  kind: { name, canRetry, keepsNoReason },
  items,
  ask,
}: {
  kind: Kind;
  items: Parked[];
  ask: AskFor;
}) {
  const counts = new Map<string, number>();
  for (const { channel } of items) counts.set(channel, (counts.get(channel) ?? 0) + 1);
  const several = [...counts].filter(([, count]) => count > 1);
  return (
    <div class="buttons">
      {several.map(([channel]) => {
        const common = { body: { channel }, keepsNoReason };
        const retry = {
          ...RETRY,
          title: `Try all of ${channel} again`,
          path: `/v1/parked/${name}/retry`,
          ...common,
        };
        const dismiss = {
          ...DISMISS,
          title: `Dismiss all of ${channel}`,
          path: `/v1/parked/${name}/dismiss`,
          ...common,
        };
        return (
          <>
            {canRetry && (
              <button type="button" onClick={() => ask(retry)}>
                {retry.title}
              </button>
            )}
            <button type="button" onClick={() => ask(dismiss)}>
              {dismiss.title}
            </button>
          </>
        );
      })}
    </div>
  );
}

const RETRY = { explains: 'It is tried at once, as if for the first time.', confirm: 'Try again' };
const DISMISS = {
  explains: 'Nothing is done about it. It is kept, and can be looked at and tried again by the API.',
  confirm: 'Dismiss',
};
