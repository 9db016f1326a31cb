import { PluginOptionsError, resolvePluginOptions } from 'onhand/channel-api';
import plugin from './generic-rest.plugin';

const MINIMAL = { baseUrl: 'https://shop.example', webhook: { secret: 'webhook-secret' } };

function problemsOf(options: unknown): readonly string[] {
  try {
    resolvePluginOptions(plugin, options);
    return [];
  } catch (error) {
    if (error instanceof PluginOptionsError) return error.problems;
    throw error;
  }
}

describe('the options of a generic REST channel', () => {
  it('an address and a webhook secret are enough', () => {
    expect(problemsOf(MINIMAL)).toEqual([]);
    const options = resolvePluginOptions(plugin, MINIMAL);
    expect(plugin.capabilities(options)).toMatchObject({ pushBatchSize: 100, cancelsOrders: false });
    expect(plugin.limits(options)).toEqual([{ name: 'api', perSecond: 10, burst: 20 }]);
  });

  it('a group that is given keeps the defaults of what it leaves out', () => {
    const options = resolvePluginOptions(plugin, {
      ...MINIMAL,
      read: { fields: { sku: 'code' } },
      cancel: {},
    });
    expect(options.read.fields).toMatchObject({ sku: 'code', quantity: 'quantity' });
    expect(options.read.paging).toMatchObject({ kind: 'cursor', pageSize: 100 });
    expect(plugin.capabilities(options).cancelsOrders).toBe(true);
  });

  it.each<[string, object, string]>([
    ['no address', { baseUrl: undefined }, 'baseUrl'],
    ['a file', { baseUrl: 'file:///etc/passwd' }, 'baseUrl'],
    ['credentials in the address', { baseUrl: 'https://u:p@shop.example' }, 'baseUrl'],
    ['a query in the address', { baseUrl: 'https://shop.example/?a=b' }, 'baseUrl'],
    ['no webhook', { webhook: undefined }, 'webhook'],
    ['no webhook secret', { webhook: {} }, 'webhook.secret'],
    ['a short webhook secret', { webhook: { secret: 'short' } }, 'webhook.secret'],
    ['a bearer without token', { auth: { kind: 'bearer' } }, 'auth.token'],
    ['a basic without password', { auth: { kind: 'basic', username: 'u' } }, 'auth.password'],
    ['a header without name', { auth: { kind: 'header', value: 'v' } }, 'auth.name'],
    ['a header name with a blank', { auth: { kind: 'header', name: 'a b', value: 'v' } }, 'auth.name'],
    ['an unknown kind', { auth: { kind: 'oauth' } }, 'auth.kind'],
    ['a misspelt option', { read: { pathh: '/a' } }, 'read.pathh'],
    ['a group that is null', { push: null }, 'push'],
    ['an optional group that is null', { cancel: null }, 'cancel'],
    ['a group that is a list', { read: [] }, 'read'],
    ['a field path into a prototype', { read: { fields: { sku: 'a.__proto__.b' } } }, 'read.fields.sku'],
    ['a field path with a gap', { orders: { fields: { id: 'a..b' } } }, 'orders.fields.id'],
    ['an optional field path that is null', { push: { fields: { location: null } } }, 'push.fields.location'],
    ['a path with a query', { read: { path: '/a?b' } }, 'read.path'],
    ['an unknown placeholder', { push: { path: '/a/{id}' } }, 'push.path'],
    ['a cancel path without the order', { cancel: { path: '/cancel' } }, 'cancel.path'],
    ['a limit of nothing', { limit: { perSecond: 0 } }, 'limit.perSecond'],
    ['a page of nothing', { read: { paging: { pageSize: 0 } } }, 'read.paging.pageSize'],
    ['an endless time-out', { timeoutMs: 1e9 }, 'timeoutMs'],
  ])('%s is a problem that names the option', (_, change, option) => {
    const problems = problemsOf({ ...MINIMAL, ...change });
    expect(problems.map((problem) => problem.split(':')[0])).toContain(option);
  });

  it.each([null, undefined, [], 'options', 7])('%p instead of a mapping is a problem', (options) => {
    expect(problemsOf(options)).toHaveLength(1);
  });

  it('a problem never quotes a value', () => {
    const problems = problemsOf({
      baseUrl: 'file:canary',
      webhook: { secret: 'canary', algorithm: 'canary' },
      auth: { kind: 'canary', token: 7 },
      limit: { perSecond: 'canary' },
    });
    expect(problems.length).toBeGreaterThan(4);
    expect(problems.join('\n')).not.toContain('canary');
  });

  it('every credential is declared a secret', () => {
    const secretsOf = (auth: object) =>
      plugin.secrets(
        resolvePluginOptions(plugin, {
          ...MINIMAL,
          auth,
          webhook: { secret: 'current-one', previousSecret: 'previous-one' },
        }),
      );
    expect(secretsOf({ kind: 'bearer', token: 't' })).toEqual(['t', 'current-one', 'previous-one']);
    expect(secretsOf({ kind: 'basic', username: 'u', password: 'p' })).toEqual([
      'p',
      'dTpw',
      'current-one',
      'previous-one',
    ]);
    expect(secretsOf({ kind: 'header', name: 'k', value: 'v' })).toEqual([
      'v',
      'current-one',
      'previous-one',
    ]);
  });
});
