import { createChannelHttp, createRedactor, resolvePluginOptions } from 'onhand/channel-api';
import { systemClock } from 'onhand/channel-api/testing';
import { SpApiClient } from '../../plugins/amazon-sp-api/amazon-sp-api.client';
import { limits, type Operation } from '../../plugins/amazon-sp-api/amazon-sp-api.limits';
import plugin from '../../plugins/amazon-sp-api/amazon-sp-api.plugin';
import { NOTIFICATIONS_SCOPE } from '../../plugins/amazon-sp-api/amazon-sp-api.tokens';
import { OfficialRequests } from '../support/amazon-requests';

/** What has to be in the environment: an application with sandbox access, and its refresh token. */
export const NEEDED = ['AMAZON_CLIENT_ID', 'AMAZON_CLIENT_SECRET', 'AMAZON_REFRESH_TOKEN'];

/** One call as it was made and answered, without credentials. */
export interface Recording {
  method: string;
  url: string;
  requestBody: string | null;
  status: number;
  body: string;
}

const REGIONS = ['na', 'eu', 'fe'];

/**
 * Asks Amazon's static sandbox what the models say that it answers, for each operation of the plugin, and hands each
 * answer on. The sandbox holds no seller's data: its answers are the same for everybody. What differs from the models
 * is answered too, as it came. Needs the models (`CONTRACTS_DIR`), which name the requests that it knows.
 */
export async function record(
  environment: NodeJS.ProcessEnv,
  keep: (name: string, recording: Recording) => Promise<void>,
): Promise<void> {
  const models = OfficialRequests.load();
  if (!models)
    throw new Error('set CONTRACTS_DIR to a folder with the models: they say what the sandbox knows');
  const region = environment.AMAZON_REGION ?? 'na';
  if (!REGIONS.includes(region)) throw new Error(`AMAZON_REGION must be one of ${REGIONS.join(', ')}`);
  const [clientId, clientSecret, refreshToken] = NEEDED.map((name) => environment[name]);
  const options = resolvePluginOptions(plugin, {
    ...{ region, marketplaceIds: ['ATVPDKIKX0DER'], sellerId: 'SANDBOX' },
    ...{ clientId, clientSecret, refreshToken },
    endpoint: `https://sandbox.sellingpartnerapi-${region}.amazon.com`,
  });
  const declared = limits(options);
  const operations = declared.map(({ name }) => name);
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const secrets = plugin.secrets(options);
  const fetch = recordingFetch(secrets, keep);
  const http = createChannelHttp({ limits: declared, clock: systemClock, log, secrets, fetch });
  const client = new SpApiClient(options, http, systemClock);
  for (const { operation, method, path, query, body } of models.sandboxPairs(operations)) {
    const grant = operation.endsWith('Destination') || operation.endsWith('Destinations');
    // A refusal is an answer, and kept like any other.
    await client
      .call({
        ...{ operation: operation as Operation, method: method as 'GET', path, json: body },
        query: query as Record<string, string>,
        ...(grant ? { grant: NOTIFICATIONS_SCOPE } : {}),
      })
      .catch((error: { code?: string }) => {
        if (error.code !== 'amazon-refused' && error.code !== 'channel-protocol') throw error;
      });
  }
}

/** Names each call by its number, method and path. What Login with Amazon says is nobody's to keep. */
function recordingFetch(
  secrets: readonly string[],
  keep: (name: string, recording: Recording) => Promise<void>,
): typeof globalThis.fetch {
  const redact = createRedactor(secrets);
  let calls = 0;
  return async (input, init) => {
    const response = await globalThis.fetch(input, init);
    const { href, pathname } = new URL(input as URL);
    if (pathname.startsWith('/auth/')) return response;
    calls += 1;
    const method = init?.method ?? 'GET';
    const name = `${String(calls).padStart(3, '0')}-${method}${pathname.replace(/\W+/g, '-')}`.slice(0, 100);
    const requestBody = typeof init?.body === 'string' ? redact(init.body) : null;
    const body = redact(await response.clone().text());
    await keep(name, { method, url: redact(href), requestBody, status: response.status, body });
    return response;
  };
}
