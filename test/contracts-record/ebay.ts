import plugin from '../../plugins/ebay/ebay.plugin';
import {
  createChannelHttp,
  createRedactor,
  memorySecrets,
  resolvePluginOptions,
} from '../../src/channel-api';
import { collect, systemClock } from '../../src/channel-api/testing';

/** What has to be in the environment: a sandbox keyset, and the refresh token of a test user. */
export const NEEDED = ['EBAY_SANDBOX_CLIENT_ID', 'EBAY_SANDBOX_CLIENT_SECRET', 'EBAY_SANDBOX_REFRESH_TOKEN'];

/** One call as it was made and answered, without credentials and people. */
export interface Recording {
  method: string;
  url: string;
  requestBody: string | null;
  status: number;
  body: string;
}

/** Fields that hold people; their values are replaced wherever they stand. */
const PEOPLE =
  /"(username|buyerUserId|fullName|email|phoneNumber|addressLine1|addressLine2|postalCode|city|taxpayerId|sellerId|alertEmail)":\s*"(?:[^"\\]|\\.)*"/g;

/**
 * Makes the plugin's calls against eBay's sandbox and hands each answer on. Reads, and with `EBAY_SANDBOX_SKU` one
 * push of the quantity that is shown anyway. The sandbox has no search of cancellations and returns.
 */
export async function record(
  environment: NodeJS.ProcessEnv,
  keep: (name: string, recording: Recording) => Promise<void>,
): Promise<void> {
  const [clientId, clientSecret, refreshToken] = NEEDED.map((name) => environment[name]);
  const options = resolvePluginOptions(plugin, {
    environment: 'sandbox',
    marketplaceId: environment.EBAY_SANDBOX_MARKETPLACE ?? 'EBAY_US',
    ...{ clientId, clientSecret, refreshToken },
  });
  const secrets = plugin.secrets(options);
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const fetch = recordingFetch(secrets, keep);
  const http = createChannelHttp({ limits: plugin.limits(options), clock: systemClock, log, secrets, fetch });
  const channel = await plugin.connect(options, {
    channel: 'ebay-sandbox',
    http,
    log,
    clock: systemClock,
    secrets: memorySecrets(),
  });
  const { findings } = await channel.check();
  const failed = findings.filter(({ ok }) => !ok).map(({ message }) => message);
  if (failed.length > 0) throw new Error(`eBay's sandbox: ${failed.join('; ')}`);
  const { items } = await collect(channel.readInventory({}));
  await collect(channel.readOrders({ since: new Date(Date.now() - 30 * 86_400_000).toISOString() }));
  await channel.readOrder!('00-00000-00000');
  const channelSku = environment.EBAY_SANDBOX_SKU ?? items[0]?.channelSku;
  if (channelSku !== undefined)
    await collect(channel.readInventory({ channelSkus: [channelSku, 'no-such-sku'] }));
  const shown = items.find((item) => item.channelSku === environment.EBAY_SANDBOX_SKU);
  if (shown)
    await channel.pushInventory([
      { pushId: 'same', channelSku: shown.channelSku, quantityUnits: shown.quantityUnits },
      { pushId: 'unknown', channelSku: 'no-such-sku', quantityUnits: 0 },
    ]);
}

/** Names each call by its method and path, and a number. What the token endpoint says is nobody's to keep. */
function recordingFetch(
  secrets: readonly string[],
  keep: (name: string, recording: Recording) => Promise<void>,
): typeof globalThis.fetch {
  const redact = createRedactor(secrets);
  const anonymous = (text: string) => redact(text).replace(PEOPLE, '"$1":"[person]"');
  let calls = 0;
  return async (input, init) => {
    const response = await globalThis.fetch(input, init);
    const url = new URL(input as URL);
    if (url.pathname.startsWith('/identity/')) return response;
    calls += 1;
    const method = init?.method ?? 'GET';
    const name = `${String(calls).padStart(3, '0')}-${method}${url.pathname.replace(/\W+/g, '-')}`.slice(
      0,
      100,
    );
    const requestBody = typeof init?.body === 'string' ? anonymous(init.body) : null;
    const body = anonymous(await response.clone().text());
    await keep(name, { method, url: redact(url.href), requestBody, status: response.status, body });
    return response;
  };
}
