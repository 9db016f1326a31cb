import { type Command, Option } from 'commander';
import { hostOf, type JsonFlags, JsonOption, withHostOptions } from './options';
import { action, EXIT, tell } from './output';
import { table } from './table';

interface Receiver {
  name: string;
  kind: string;
  address: string;
  events: string[];
  state: string;
  lastError: string | null;
  lastDeliveredAt: string | null;
  waiting: number;
  givenUp: number;
}

interface TestOutcome {
  delivered: boolean;
  status: number | null;
  error: string | null;
}

interface Delivery {
  id: string;
  receiver: string;
  event: string;
  subject: string;
  state: string;
  attempts: number;
  error: string | null;
  createdAt: string;
  nextAt: string | null;
}

interface DeliveryFlags extends JsonFlags {
  receiver?: string;
  state?: string;
}

const DELIVERY =
  '{id, receiver, event, subject, channel, state, attempts, status, error, createdAt, nextAt, deliveredAt}';
const MOST_SHOWN = 500;

export function addReceiverCommands(program: Command): void {
  const receivers = program.command('receivers').description('who outside is told of events');

  withHostOptions(receivers.command('list'))
    .description('list receivers, and whether what they are told arrives')
    .addOption(
      new JsonOption(
        '[{name, kind, address, events, channels, tags, state, failures, lastStatus, lastError, waiting, givenUp, …}]',
      ),
    )
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Receiver[] }>('/v1/receivers');
        tell(flags, items, () =>
          items.length === 0 ? 'No receivers in onhand.yaml.' : receiversText(items),
        );
      }),
    );

  withHostOptions(receivers.command('test <name>'))
    .description('send a receiver a test now; one that arrives enables a receiver that had answered 410')
    .addOption(new JsonOption('{delivered, status, error}'))
    .action(
      action(async (name: string, flags: JsonFlags) => {
        const outcome = await hostOf(flags).post<TestOutcome>(
          `/v1/receivers/${encodeURIComponent(name)}/test`,
        );
        const { delivered, status, error } = outcome;
        tell(flags, outcome, () => (delivered ? `${name} took the test (${status}).` : `${name}: ${error}`));
        if (!delivered) process.exitCode = EXIT.failed;
      }),
    );

  addDeliveryCommands(program);
}

function addDeliveryCommands(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .description('what receivers were told, or are still to be told');

  withHostOptions(deliveries.command('list'))
    .description(`list the newest ${MOST_SHOWN} deliveries`)
    .option('--receiver <name>', 'to this receiver only')
    .addOption(new Option('--state <state>', 'in this state').choices(['waiting', 'delivered', 'given-up']))
    .addOption(new JsonOption(`[${DELIVERY}]`))
    .action(
      action(async ({ receiver, state, ...flags }: DeliveryFlags) => {
        const filter = { limit: String(MOST_SHOWN), ...(receiver && { receiver }), ...(state && { state }) };
        const path = `/v1/deliveries?${new URLSearchParams(filter).toString()}`;
        const { items } = await hostOf(flags).get<{ items: Delivery[] }>(path);
        tell(flags, items, () => (items.length === 0 ? 'No deliveries.' : deliveriesText(items)));
      }),
    );

  withHostOptions(deliveries.command('show <id>'))
    .description('show a delivery with what is sent')
    .addOption(new JsonOption(`${DELIVERY.slice(0, -1)}, body}`))
    .action(
      action(async (id: string, flags: JsonFlags) => {
        const delivery = await hostOf(flags).get<Delivery & { body: unknown }>(
          `/v1/deliveries/${encodeURIComponent(id)}`,
        );
        tell(
          flags,
          delivery,
          () => `${deliveriesText([delivery])}\n${JSON.stringify(delivery.body, null, 2)}`,
        );
      }),
    );

  withHostOptions(deliveries.command('retry [ids...]'))
    .description('send these again now, or without ids all that was given up')
    .option('--receiver <name>', 'without ids: to this receiver only')
    .addOption(new JsonOption('{retried}'))
    .action(action(retry));
}

async function retry(ids: string[], { receiver, ...flags }: DeliveryFlags): Promise<void> {
  const host = hostOf(flags);
  for (const id of ids) await host.post(`/v1/deliveries/${encodeURIComponent(id)}/retry`);
  const all = () => host.post<{ retried: number }>('/v1/deliveries/retry', { ...(receiver && { receiver }) });
  const retried = ids.length > 0 ? ids.length : (await all()).retried;
  tell(flags, { retried }, () => `${retried} sent again; see onhand deliveries list.`);
}

function receiversText(receivers: readonly Receiver[]): string {
  return table(receivers, {
    receiver: ({ name }) => name,
    kind: ({ kind }) => kind,
    address: ({ address }) => address,
    events: ({ events }) => events.join(' '),
    state: ({ state }) => state,
    waiting: ({ waiting }) => waiting,
    'given up': ({ givenUp }) => givenUp,
    'last arrived': ({ lastDeliveredAt }) => lastDeliveredAt,
    error: ({ lastError }) => lastError,
  });
}

function deliveriesText(deliveries: readonly Delivery[]): string {
  return table(deliveries, {
    id: ({ id }) => id,
    created: ({ createdAt }) => createdAt,
    receiver: ({ receiver }) => receiver,
    event: ({ event }) => event,
    subject: ({ subject }) => subject,
    state: ({ state }) => state,
    tries: ({ attempts }) => attempts,
    next: ({ nextAt }) => nextAt,
    error: ({ error }) => error,
  });
}
