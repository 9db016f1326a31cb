import type { ChannelDocument, OrderDocument } from '../contract';
import { isChannelError } from '../errors';
import type { WebhookDelivery } from '../simulator';
import { collect, type ConnectedChannel, withChannel } from './connected-channel';
import type { ChannelContract, ContractCase } from './contract-case';
import { expectEqual, expectThat } from './expectations';
import { documentsOf, namesOrdersOnly, orderWebhook, placeOrder, requestOf } from './webhook-requests';

const group = 'webhook translation';
const needs = ['webhooks'] as const;

export const TRANSLATION_CASES: readonly ContractCase[] = [
  {
    group,
    needs,
    name: 'a webhook translates to the order as the channel has it, and as a read gives it',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const { simulator, channel, capabilities } = connected;
        const first = await documentsOf(connected, requestOf(orderWebhook(simulator)));
        const order = simulator.fulfilOrder('o-1', '2025-03-01T11:00:00.000Z');
        const documents = await documentsOf(connected, requestOf(simulator.webhookFor('o-1')));
        expectEqual(
          documents,
          [order],
          'translateWebhook gives the order as it stands: per line ordered, cancelled, fulfilled and returned so far',
        );
        expectThat(
          revisionOf(first) < order.revision,
          'Each change of an order has a greater revision',
          first,
        );
        if (!capabilities.readsOrders) return;
        const { items } = await collect(channel.readOrders({}));
        expectEqual(
          items,
          documents,
          'readOrders and translateWebhook give the same document, with one scale of revisions',
        );
      }),
  },
  {
    group,
    needs,
    name: 'webhooks that are duplicated and out of order translate to the same documents, whose revisions restore the order',
    run: (contract) => withChannel(contract, translateShuffled),
  },
  {
    group,
    needs,
    name: 'ids beyond 2^53 are told apart to the last digit',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const { simulator } = connected;
        for (const orderId of ['820982911946154508', '820982911946154509']) {
          const order = placeOrder(simulator, orderId, '9007199254740993');
          expectEqual(
            await documentsOf(connected, requestOf(simulator.webhookFor(orderId))),
            [order],
            'An id is a text, digit by digit: parse bodies with parseJsonLossless, never with JSON.parse, which rounds',
          );
        }
      }),
  },
  ...meaninglessBodies().map(([kind, body]) => ({
    group,
    needs,
    name: `a body of ${kind} is untranslatable, and nothing worse`,
    run: (contract: ChannelContract) =>
      withChannel(contract, async (connected) => {
        const webhook = orderWebhook(connected.simulator);
        expectUntranslatable(connected, { ...webhook, body: Buffer.from(body) });
      }),
  })),
  {
    group,
    needs,
    name: 'an order that the channel does not document is untranslatable, and the message quotes no body',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const { simulator } = connected;
        placeOrder(simulator, 'o-1', 'a-line-of-the-buyer');
        simulator.spoil({ orderId: 'o-1' });
        const message = expectUntranslatable(connected, simulator.webhookFor('o-1'));
        expectThat(
          !message.includes('a-line-of-the-buyer'),
          'The message names the field and what it must be, and quotes no body: that holds the buyer’s data',
          message,
        );
      }),
  },
];

async function translateShuffled({ simulator, channel }: ConnectedChannel): Promise<void> {
  const requests = [requestOf(orderWebhook(simulator))];
  // What only names an order tells nothing of an order of events: whoever reads it reads the newest state.
  if (namesOrdersOnly(channel.translateWebhook(requests[0]!))) return;
  simulator.fulfilOrder('o-1', '2025-03-01T11:00:00.000Z');
  requests.push(requestOf(simulator.webhookFor('o-1')));
  simulator.returnOrder('o-1', '2025-03-01T12:00:00.000Z');
  requests.push(requestOf(simulator.webhookFor('o-1')));
  const translated = (indexes: number[]) =>
    indexes.map((index) => channel.translateWebhook(requests[index]!)[0] as OrderDocument);
  const inOrder = translated([0, 1, 2]);
  expectEqual(
    inOrder.map((order) => [order.lines[0]?.fulfilled, order.lines[0]?.returned]),
    [
      [0, 0],
      [2, 0],
      [2, 2],
    ],
    'Each line says how much was fulfilled and returned so far, not what changed',
  );
  const revisions = new Map(translated([2, 0, 2, 1, 1, 0]).map((order) => [order.revision, order]));
  expectThat(
    [...revisions.keys()].every(Number.isSafeInteger),
    'A revision is a safe integer: the channel’s own version of the order, or its update time in ms',
    [...revisions.keys()],
  );
  expectEqual(
    [...revisions].sort(([a], [b]) => a - b).map(([, order]) => order),
    inOrder,
    'translateWebhook is pure: the same webhook gives the same document, and revisions put documents in order',
  );
}

/** Answers the message. */
function expectUntranslatable({ channel }: ConnectedChannel, webhook: WebhookDelivery): string {
  const rule =
    'A body that is not what the channel documents throws UntranslatableError, so that it waits for a person';
  let documents: ChannelDocument[];
  try {
    documents = channel.translateWebhook(requestOf(webhook));
  } catch (error) {
    expectThat(isChannelError(error) && error.code === 'untranslatable' && !error.retryable, rule, error);
    return (error as Error).message;
  }
  expectThat(false, `${rule}. It translated`, documents);
  return '';
}

function revisionOf(documents: ChannelDocument[]): number {
  const [first] = documents;
  return first?.kind === 'order' ? first.revision : NaN;
}

function meaninglessBodies(): [string, string][] {
  return [
    ['nothing', ''],
    ['text that is not JSON', '<html>'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['brackets nested 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000)],
  ];
}
