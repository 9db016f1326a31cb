import type { ComponentChildren } from 'preact';
import { call } from '../api';
import { type Outcome, withEach } from '../parts/do';
import { linkTo } from '../route';
import { listingLink } from '../parts/listing-links';

/** One thing that waits for a person; which fields it has is its kind's. */
export interface Parked {
  id?: number;
  listingId?: number;
  channel: string;
  channelSku?: string;
  topic?: string;
  orderId?: string;
  code?: string | null;
  reason?: string;
  error?: string | null;
  attempts?: number;
  body?: string;
  parkedAt: string;
  lastAction?: { action: string; reason: string | null; actor: string; at: string } | null;
}

export type ParkedAction = 'retry' | 'dismiss';

/** One kind of things that wait, and how it is acted on. */
export interface Kind {
  name: 'pushes' | 'webhooks' | 'orders' | 'lines';
  title: string;
  explains: ComponentChildren;
  nameOf: (item: Parked) => string;
  /** The same, leading to where it is put right. */
  what: (item: Parked) => ComponentChildren;
  canRetry: boolean;
  /** What is dismissed stays listed, and who did it and why is kept. */
  isKept: boolean;
  act: (action: ParkedAction, items: readonly Parked[], reason: string) => Promise<Outcome>;
}

const DONE = { retry: 'tried again', dismiss: 'dismissed' };

/** One after the other, so that each is answered on its own. */
function oneByOne(name: string, nameOf: (item: Parked) => string): Kind['act'] {
  return (action, items, reason) =>
    withEach(
      items,
      nameOf,
      ({ id }) => call('POST', `/v1/parked/${name}/${id}/${action}`, { ...(reason && { reason }) }),
      (done) => `${done} ${DONE[action]}`,
    );
}

/** All in one request; what was pushed meanwhile is not among them any more. */
async function allPushes(action: ParkedAction, items: readonly Parked[]): Promise<Outcome> {
  const listings = items.map(({ listingId }) => listingId);
  const told = await call<{ retried?: number; dismissed?: number }>('POST', `/v1/parked/pushes/${action}`, {
    listings,
  });
  const done = told.retried ?? told.dismissed ?? 0;
  const left = items.length - done;
  return { done: `${done} ${DONE[action]}${left > 0 ? `; ${left} waited no more` : ''}` };
}

const lineName = ({ channelSku, orderId }: Parked) => `${channelSku}, in order ${orderId}`;
const orderName = ({ orderId }: Parked) => `order ${orderId ?? 'without an id'}`;
const webhookName = ({ id, topic }: Parked) => `${topic} ${id}`;

export const KINDS: Kind[] = [
  {
    name: 'pushes',
    title: 'Listings that their channel refuses',
    explains:
      'They were refused for good, or too often. What the channel said is what has to change there or in the mapping.',
    nameOf: ({ channelSku }) => channelSku!,
    what: ({ channel, channelSku }) => <a href={listingLink(channel, channelSku!)}>{channelSku}</a>,
    canRetry: true,
    isKept: false,
    act: allPushes,
  },
  {
    name: 'lines',
    title: 'Order lines whose SKU nobody mapped',
    explains: 'Mapping the SKU applies them by itself. Dismiss what is none of our stock.',
    nameOf: lineName,
    what: ({ channel, channelSku, orderId }) => (
      <>
        <a href={linkTo('/mapping', { channel })}>{channelSku}</a>, in order {orderId}
      </>
    ),
    canRetry: false,
    isKept: true,
    act: oneByOne('lines', lineName),
  },
  {
    name: 'webhooks',
    title: 'Webhooks that could not be applied',
    explains: 'They are kept as they came, and are translated anew when they are tried again.',
    nameOf: webhookName,
    what: webhookName,
    canRetry: true,
    isKept: true,
    act: oneByOne('webhooks', webhookName),
  },
  {
    name: 'orders',
    title: 'Orders that could not be read',
    explains:
      'The channel listed them, and what it said of them was not understood. They are read again from there.',
    nameOf: orderName,
    what: (item) => (
      <>
        {orderName(item)}
        {item.body && (
          <details class="quiet">
            <summary>As it was listed</summary>
            <code>{item.body.slice(0, 2_000)}</code>
          </details>
        )}
      </>
    ),
    canRetry: true,
    isKept: true,
    act: oneByOne('orders', orderName),
  },
];
