import { ADMIN_KEY, startTestHost, type TestHost } from '../support/host';
import { filled, routesOf } from '../support/routes';

const CONSOLE_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self'",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
};

let host: TestHost;

beforeAll(async () => {
  host = await startTestHost({ server: { trustProxy: true } });
});

afterAll(() => host.close());

const policyOf = (headers: Headers) =>
  Object.fromEntries(
    (headers.get('content-security-policy') ?? '')
      .split(';')
      .map((each) => each.trim())
      .filter((each) => each !== '')
      .map((each): [string, string] => [each.split(' ', 1)[0]!, each.slice(each.indexOf(' ') + 1)]),
  );

test('whatever a route answers, a browser neither guesses its type, runs, frames nor keeps it', async () => {
  const routes = routesOf(host.app).filter(({ path }) => path.startsWith('/v1/') && path !== '/v1/stream');
  expect(routes.length).toBeGreaterThan(80);
  for (const { method, path } of routes)
    for (const key of [undefined, ADMIN_KEY]) {
      const { headers, status } = await host.api.withKey(key).send(method, filled(path));
      expect({ method, path, status, ...Object.fromEntries(headers) }).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-request-id': expect.any(String) as string,
      });
      for (const name of ['x-powered-by', 'server', 'etag', 'access-control-allow-origin'])
        expect({ path, [name]: headers.get(name) }).toEqual({ path, [name]: null });
    }
});

test.each(['/health/live', '/health/ready', '/metrics', '/nothing', '/webhooks/none', '/docs/openapi.json'])(
  'so does %s',
  async (path) => {
    const { headers } = await host.api.withKey(undefined).get(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(policyOf(headers)['frame-ancestors']).toMatch(/'none'|'self'/);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  },
);

test.each(['/', '/icon.svg', '/assets/none.js'])(
  'the console at %s runs what this host serves and nothing else',
  async (path) => {
    const { headers } = await host.api.withKey(undefined).get(path);
    expect(policyOf(headers)).toEqual(CONSOLE_POLICY);
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  },
);

test('the page of the API runs no script of elsewhere', async () => {
  const { headers } = await host.api.withKey(undefined).get('/docs');
  expect(policyOf(headers)).toMatchObject({ 'script-src': "'self'", 'object-src': "'none'" });
});

describe('the cookie of a session', () => {
  const signIn = (headers: Record<string, string>) =>
    host.api.withKey(undefined).send('POST', '/v1/session', {
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ key: ADMIN_KEY }),
    });

  test('goes over TLS alone where there is TLS in front', async () => {
    const { headers } = await signIn({ 'x-forwarded-proto': 'https' });
    expect(headers.get('set-cookie')).toMatch(/; HttpOnly; Secure; SameSite=Strict$/);
    expect((await signIn({})).headers.get('set-cookie')).not.toContain('Secure');
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'is not set by what a form of another site can send: %s',
    async (type) => {
      const answer = await signIn({ 'content-type': type, origin: 'https://evil.example' });
      expect(answer.status).toBe(415);
      expect(answer.headers.get('set-cookie')).toBeNull();
    },
  );

  test('changes nothing by itself, whatever the method', async () => {
    const cookie = (await signIn({})).headers.get('set-cookie')!.split(';', 1)[0]!;
    const changing = routesOf(host.app).filter(
      ({ method, path }) =>
        path.startsWith('/v1/') && path !== '/v1/session' && !['GET', 'HEAD'].includes(method),
    );
    expect(changing.length).toBeGreaterThan(40);
    for (const { method, path } of changing) {
      const { status } = await host.api.withKey(undefined).send(method, filled(path), {
        headers: { cookie, 'content-type': 'application/json' },
        body: '{}',
      });
      expect({ method, path, status }).toEqual({ method, path, status: 403 });
    }
  });
});

test('an idle connection is kept for longer than a proxy keeps it', async () => {
  const { headers } = await host.api.withKey(undefined).get('/health/live');
  expect(headers.get('keep-alive')).toBe('timeout=75');
});
