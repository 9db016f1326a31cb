import { PluginOptionsError, resolvePluginOptions } from 'onhand/channel-api';
import plugin from './shopify.plugin';

const WHOLE = {
  shop: 'acme.myshopify.com',
  auth: { kind: 'client-credentials', clientId: 'id', clientSecret: 'a-client-secret' },
  webhookSecrets: ['a-client-secret'],
};

function problemsOf(options: object): string[] {
  try {
    resolvePluginOptions(plugin, options);
    return [];
  } catch (error) {
    return [...(error as PluginOptionsError).problems];
  }
}

test('the shop, its credentials and one webhook secret are enough', () => {
  expect(resolvePluginOptions(plugin, WHOLE)).toMatchObject({
    ...{ apiVersion: '2026-07', mapBy: 'sku', orderLocations: 'none', returns: true, testOrders: false },
    ...{ activateMissing: false, notifyCustomer: true, bulkAbove: 1_000, timeoutMs: 15_000 },
  });
});

test.each<[string, object, string]>([
  ['no shop', { shop: undefined }, 'shop'],
  ["the shop's public domain", { shop: 'www.acme.example' }, 'shop'],
  ['the shop as a URL', { shop: 'https://acme.myshopify.com' }, 'shop'],
  ['an API version that is none', { apiVersion: '2026-08' }, 'apiVersion'],
  ['an unstable API version', { apiVersion: 'unstable' }, 'apiVersion'],
  ['an unknown kind of authentication', { auth: { kind: 'basic' } }, 'auth.kind'],
  ['no client secret', { auth: { kind: 'client-credentials', clientId: 'id' } }, 'auth.clientSecret'],
  ['no token', { auth: { kind: 'token' } }, 'auth.token'],
  ['no refresh token', { auth: { ...WHOLE.auth, kind: 'expiring-token' } }, 'auth.refreshToken'],
  ['no webhook secret', { webhookSecrets: [] }, 'webhookSecrets'],
  ['a webhook secret that can be guessed', { webhookSecrets: ['short'] }, 'webhookSecrets'],
  ['an unknown way to map', { mapBy: 'title' }, 'mapBy'],
  ['a location by its name', { orderLocations: 'Main hall' }, 'orderLocations'],
  ['an endpoint with credentials', { endpoint: 'https://me:pass@shop.example' }, 'endpoint'],
  ['a misspelt option', { bulkabove: 5 }, 'bulkabove'],
])('%s is refused by the name of the option, without a secret', (_, options, name) => {
  const problems = problemsOf({ ...WHOLE, ...options });
  expect(problems).not.toEqual([]);
  expect(problems.every((problem) => problem.startsWith(name))).toBe(true);
  expect(problems.join()).not.toContain('a-client-secret');
});

test('every secret among the options is named', () => {
  const auth = { kind: 'expiring-token', clientId: 'id', clientSecret: 's1', refreshToken: 's2' };
  const webhookSecrets = ['a-client-secret', 'the-one-before'];
  const secrets = plugin.secrets(resolvePluginOptions(plugin, { ...WHOLE, auth, webhookSecrets }));
  expect(secrets).toEqual(['s1', 's2', ...webhookSecrets]);
  const token = plugin.secrets(
    resolvePluginOptions(plugin, { ...WHOLE, auth: { kind: 'token', token: 't1' } }),
  );
  expect(token).toContain('t1');
});
