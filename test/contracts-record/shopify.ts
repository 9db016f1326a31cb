import { setTimeout as sleep } from 'node:timers/promises';
import nock from 'nock';
import shopify from '../../plugins/shopify/shopify.plugin';
import {
  type Channel,
  createChannelHttp,
  memorySecrets,
  createRedactor,
  type Page,
  resolvePluginOptions,
} from '../../src/channel-api';

/**
 * What has to be in the environment: host name of a development store, client id and secret of an app that is
 * installed there, and a SKU that is stocked at one of its locations.
 */
export const NEEDED = [
  'SHOPIFY_RECORD_SHOP',
  'SHOPIFY_RECORD_CLIENT_ID',
  'SHOPIFY_RECORD_CLIENT_SECRET',
  'SHOPIFY_RECORD_SKU',
];

/** Nobody's business, though no secret: what is written instead. */
const ALIASES: Readonly<Record<string, string>> = {
  SHOPIFY_RECORD_SHOP: 'recorded.myshopify.com',
  SHOPIFY_RECORD_CLIENT_ID: 'the-client-id',
  SHOPIFY_RECORD_SKU: 'RECORDED-SKU',
};

/** Tokens that an answer gave are no option's value, and are known by the names of their fields. */
const GIVEN_SECRETS = /("(?:access_token|refresh_token)":\s*")[^"]*/g;

type Step = (channel: Channel, sku: string) => Promise<void>;

/** Each rejects where the store does not answer as the plugin understands it. Nothing is changed there. */
const STEPS: Readonly<Record<string, Step>> = {
  check: async (channel) => {
    const { findings } = await channel.check();
    if (findings.every(({ ok }) => !ok)) throw new Error(findings.map(({ message }) => message).join('; '));
  },
  'read-inventory': async (channel) => void (await firstPage(channel.readInventory({}))),
  'read-orders': async (channel) => void (await firstPage(channel.readOrders({}))),
  'push-what-is-shown': (channel, sku) => pushShown(channel, sku, 0, 'applied'),
  'push-from-what-is-not-shown': (channel, sku) => pushShown(channel, sku, 1, 'stale'),
};

/** Runs the steps against the store, and hands on the calls of each as nock plays them again, without secrets. */
export async function record(
  environment: NodeJS.ProcessEnv,
  keep: (name: string, calls: nock.Definition[]) => Promise<void>,
): Promise<void> {
  const { channel, secrets } = await connect(environment);
  const redact = createRedactor(secrets);
  const scrub = (text: string) =>
    Object.entries(ALIASES).reduce(
      (result, [name, alias]) => result.replaceAll(environment[name] as string, alias),
      redact(text).replace(GIVEN_SECRETS, '$1[redacted]'),
    );
  for (const [name, run] of Object.entries(STEPS)) {
    nock.recorder.rec({ dont_print: true, output_objects: true });
    try {
      await run(channel, environment.SHOPIFY_RECORD_SKU as string);
    } finally {
      nock.restore();
      const calls = nock.recorder.play() as nock.Definition[];
      nock.recorder.clear();
      nock.activate();
      await keep(name, JSON.parse(scrub(JSON.stringify(calls))) as nock.Definition[]);
    }
  }
}

/** Runs the steps against what was recorded, in its order. Rejects where a step asks otherwise than it did then. */
export async function replay(
  recorded: ReadonlyMap<string, nock.Definition[]>,
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  const redacted: NodeJS.ProcessEnv = {
    SHOPIFY_RECORD_CLIENT_SECRET: '[redacted]',
    ...ALIASES,
    ...environment,
  };
  const { channel } = await connect(redacted);
  for (const [name, calls] of recorded) {
    nock.define(calls);
    try {
      await STEPS[name]?.(channel, redacted.SHOPIFY_RECORD_SKU as string);
      if (!nock.isDone())
        throw new Error(`${name}: not asked for any more: ${nock.pendingMocks().join(', ')}`);
    } finally {
      nock.cleanAll();
    }
  }
}

async function connect(environment: NodeJS.ProcessEnv): Promise<{ channel: Channel; secrets: string[] }> {
  const { SHOPIFY_RECORD_SHOP: shop, SHOPIFY_RECORD_ENDPOINT: endpoint } = environment;
  const { SHOPIFY_RECORD_CLIENT_ID: clientId, SHOPIFY_RECORD_CLIENT_SECRET: clientSecret } = environment;
  const options = resolvePluginOptions(shopify, {
    shop,
    auth: { kind: 'client-credentials', clientId, clientSecret },
    webhookSecrets: [clientSecret],
    ...(endpoint ? { endpoint } : {}),
  });
  const secrets = shopify.secrets(options);
  const clock = { now: () => new Date(), sleep: (delayMs: number) => sleep(delayMs) };
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const http = createChannelHttp({ limits: shopify.limits(options), clock, log, secrets });
  return {
    channel: await shopify.connect(options, {
      channel: 'recording',
      http,
      log,
      clock,
      secrets: memorySecrets(),
    }),
    secrets,
  };
}

/** `off`: so much is believed beside what is shown. The quantity that is pushed is the one that is shown. */
async function pushShown(channel: Channel, channelSku: string, off: number, expected: string): Promise<void> {
  const { items } = await firstPage(channel.readInventory({ channelSkus: [channelSku] }));
  const [shown] = items;
  if (!shown) throw new Error('the store shows no such SKU at any location');
  const { channelLocation, quantityUnits } = shown;
  const believedUnits = quantityUnits + off;
  const update = { pushId: `recorded-${off}`, channelSku, channelLocation, quantityUnits, believedUnits };
  const [result] = await channel.pushInventory([update]);
  if (result?.outcome !== expected)
    throw new Error(`${expected} was expected, not ${JSON.stringify(result)}`);
}

async function firstPage<T>(pages: AsyncIterable<Page<T>>): Promise<Page<T>> {
  for await (const page of pages) return page;
  return { items: [] };
}
