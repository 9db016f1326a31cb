import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Channel,
  type ChannelPlugin,
  type ChannelSimulator,
  createChannelHttp,
  isChannelError,
  memorySecrets,
  resolvePluginOptions,
  type WebhookRequest,
} from '../../src/channel-api';
import { requestOf } from '../../src/channel-api/testing/webhook-requests';
import { checkedOrder } from '../../src/intake/order-document';
import { Draw, HOSTILE_TEXTS, spoiled, spoiledBytes } from './fuzz-values';

/** Longer than that for one message is a way to stop a host. */
const LONGEST_MS = 1_000;

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const clock = { now: () => new Date(), sleep: async (delayMs: number) => void (await sleep(delayMs)) };

export async function connect(plugin: ChannelPlugin, simulator: ChannelSimulator): Promise<Channel> {
  const options = resolvePluginOptions(plugin, simulator.pluginOptions);
  const http = createChannelHttp({ limits: plugin.limits(options), clock, log });
  return plugin.connect(options, { channel: 'fuzzed', http, log, clock, secrets: memorySecrets() });
}

/** Genuine webhooks of a simulator: an order as it comes, is shipped, and comes back. */
export function samplesOf(simulator: ChannelSimulator): WebhookRequest[] {
  simulator.list([{ channelSku: 'A', quantityUnits: 10 }]);
  const at = '2026-01-02T10:00:00.000Z';
  const lines = [{ lineId: 'l-1', channelSku: 'A', quantityUnits: 2 }];
  simulator.placeOrder({ orderId: 'o-1', placedAt: at, lines });
  const samples = [requestOf(simulator.webhookFor('o-1'))];
  simulator.fulfilOrder('o-1', '2026-01-02T11:00:00.000Z');
  samples.push(requestOf(simulator.webhookFor('o-1')));
  simulator.returnOrder('o-1', '2026-01-02T12:00:00.000Z');
  samples.push(requestOf(simulator.webhookFor('o-1')));
  return samples;
}

/** What went wrong, for each message that did. */
export async function fuzzPlugin(
  channel: Channel,
  samples: readonly WebhookRequest[],
  { seed, messages }: { seed: number; messages: number },
): Promise<string[]> {
  const draw = new Draw(seed);
  const findings: string[] = [];
  for (let nr = 0; nr < messages && findings.length < 20; nr++) {
    const sample = draw.one(samples);
    const forged = altered(sample, draw);
    const started = performance.now();
    const found = [await forgery(channel, sample, forged), translation(channel, forged)];
    if (performance.now() - started > LONGEST_MS) found.push(`took longer than ${LONGEST_MS} ms`);
    for (const why of found)
      if (why !== undefined)
        findings.push(
          `${nr}: ${why}\n${JSON.stringify(forged.headers)}\n${forged.body.toString('utf8').slice(0, 600)}`,
        );
  }
  return findings;
}

function altered(sample: WebhookRequest, draw: Draw): WebhookRequest {
  const headers = { ...sample.headers };
  const names = Object.keys(headers);
  if (draw.chance(0.3)) headers[draw.one(names)] = draw.chance(0.2) ? undefined : draw.one(HOSTILE_TEXTS);
  if (draw.chance(0.1))
    headers[draw.one(['__proto__', 'x-shop-topic', 'x-shopify-topic'])] = draw.one(HOSTILE_TEXTS);
  return { ...sample, headers, body: alteredBody(sample.body, draw) };
}

function alteredBody(body: Buffer, draw: Draw): Buffer {
  if (draw.chance(0.1)) return body;
  if (draw.chance(0.25)) return spoiledBytes(body, draw);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return spoiledBytes(body, draw);
  }
  for (let times = 1 + draw.below(3); times > 0; times--) value = spoiled(value, draw);
  return Buffer.from(JSON.stringify(value) ?? 'null');
}

/** What is signed was signed as it is, or is refused. Anything else that is refused is no matter. */
async function forgery(
  channel: Channel,
  sample: WebhookRequest,
  forged: WebhookRequest,
): Promise<string | undefined> {
  try {
    const { verdict } = await channel.verifyWebhook(forged);
    const isGenuine = forged.body.equals(sample.body);
    return verdict === 'accepted' && !isGenuine ? 'a body that was not signed is accepted' : undefined;
  } catch (error) {
    // A plugin may have to ask for a key, which may fail; only what it says of it counts.
    return isChannelError(error) ? undefined : `verifying throws ${String(error)}`;
  }
}

/** A message is understood, and then as the host takes it, or `UntranslatableError`. */
function translation(channel: Channel, forged: WebhookRequest): string | undefined {
  try {
    for (const document of channel.translateWebhook(forged))
      if (document.kind === 'order') checkedOrder(document);
    return undefined;
  } catch (error) {
    if (isChannelError(error) && error.code === 'untranslatable') return undefined;
    return `translating throws ${(error as Error).stack ?? String(error)}`;
  }
}
