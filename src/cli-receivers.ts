import type { Command } from 'commander';
import { hostOf, withHostOptions } from './cli-options';
import { action, printAnswer, printJson } from './cli-output';
import type { JsonFlags } from './cli-tasks';

interface Receiver {
  name: string;
  kind: string;
  address: string;
  events: string[];
  state: string;
  failingSince: string | null;
  lastError: string | null;
  lastDeliveredAt: string | null;
  waiting: number;
  givenUp: number;
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
  limit: string;
}

export function addReceiverCommands(program: Command): void {
  const receivers = program.command('receivers').description('who outside is told of events');

  withHostOptions(receivers.command('list'))
    .description('list receivers, and whether what they are told arrives')
    .option('--json', 'print JSON')
    .action(
      action(async (flags: JsonFlags) => {
        const { items } = await hostOf(flags).get<{ items: Receiver[] }>('/v1/receivers');
        if (flags.json) printJson(items);
        else
          printAnswer(
            items.length === 0 ? 'No receivers in onhand.yaml.' : items.map(receiverText).join('\n'),
          );
      }),
    );

  withHostOptions(receivers.command('test <name>'))
    .description('send a receiver a test now; one that arrives enables a receiver that had answered 410')
    .option('--json', 'print JSON')
    .action(
      action(async (name: string, flags: JsonFlags) => {
        const outcome = await hostOf(flags).post<{
          delivered: boolean;
          status: number | null;
          error: string | null;
        }>(`/v1/receivers/${encodeURIComponent(name)}/test`);
        if (flags.json) printJson(outcome);
        else
          printAnswer(
            outcome.delivered ? `${name} took the test (${outcome.status}).` : `${name}: ${outcome.error}`,
          );
        if (!outcome.delivered) process.exitCode = 1;
      }),
    );

  addDeliveryCommands(program);
}

function addDeliveryCommands(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .description('what receivers were told, or are still to be told');

  withHostOptions(deliveries.command('list'))
    .description('list deliveries, newest first')
    .option('--receiver <name>', 'to this receiver only')
    .option('--state <state>', 'waiting, delivered or given-up')
    .option('--limit <n>', 'how many, up to 500', '100')
    .option('--json', 'print JSON')
    .action(
      action(async ({ receiver, state, limit, ...flags }: DeliveryFlags) => {
        const query = new URLSearchParams({ limit, ...(receiver && { receiver }), ...(state && { state }) });
        const { items } = await hostOf(flags).get<{ items: Delivery[] }>(
          `/v1/deliveries?${query.toString()}`,
        );
        if (flags.json) printJson(items);
        else printAnswer(items.length === 0 ? 'No deliveries.' : items.map(deliveryText).join('\n'));
      }),
    );

  withHostOptions(deliveries.command('show <id>'))
    .description('show a delivery with what is sent')
    .action(
      action(async (id: string, flags: JsonFlags) =>
        printJson(await hostOf(flags).get(`/v1/deliveries/${encodeURIComponent(id)}`)),
      ),
    );

  withHostOptions(deliveries.command('retry [ids...]'))
    .description('send these again now, or without ids all that was given up')
    .option('--receiver <name>', 'without ids: to this receiver only')
    .option('--json', 'print JSON')
    .action(
      action(async (ids: string[], { receiver, ...flags }: JsonFlags & { receiver?: string }) => {
        const host = hostOf(flags);
        for (const id of ids) await host.post(`/v1/deliveries/${encodeURIComponent(id)}/retry`);
        const retried =
          ids.length > 0
            ? ids.length
            : (
                await host.post<{ retried: number }>('/v1/deliveries/retry', {
                  ...(receiver && { receiver }),
                })
              ).retried;
        if (flags.json) printJson({ retried });
        else printAnswer(`${retried} sent again; see onhand deliveries list.`);
      }),
    );
}

function receiverText(receiver: Receiver): string {
  const { name, kind, address, events, state, failingSince, lastError, lastDeliveredAt, waiting, givenUp } =
    receiver;
  const since = failingSince === null ? '' : ` since ${failingSince}: ${lastError}`;
  const last = lastDeliveredAt === null ? 'nothing arrived yet' : `last arrived ${lastDeliveredAt}`;
  return `${name}  ${kind} to ${address}  ${state}${since}  ${waiting} waiting, ${givenUp} given up, ${last}\n  ${events.join(', ')}`;
}

function deliveryText({
  id,
  receiver,
  event,
  subject,
  state,
  attempts,
  error,
  createdAt,
  nextAt,
}: Delivery): string {
  const next = nextAt === null ? '' : `, next ${nextAt}`;
  const tried = attempts > 1 || state !== 'delivered' ? ` after ${attempts} tries${next}` : '';
  return `${id}  ${createdAt}  ${receiver}  ${event}  ${subject}  ${state}${tried}${error === null ? '' : `: ${error}`}`;
}
