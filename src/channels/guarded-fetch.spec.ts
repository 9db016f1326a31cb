import dns from 'node:dns/promises';
import net, { type Socket } from 'node:net';
import { spellingsOfIpv4, spellingsOfIpv6 } from '../../test/support/address-spellings';
import { CountingListener } from '../../test/support/counting-listener';
import { eventually } from '../../test/support/eventually';
import { type ChannelHttp, createChannelHttp, isChannelError } from '../channel-api';
import { AddressGuard } from './address-guard';
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch';

const opened: GuardedFetch[] = [];
const listeners: CountingListener[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all([...opened.splice(0), ...listeners.splice(0)].map((each) => each.close()));
});

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The HTTP client as the host gives it to a plugin. */
function httpAllowing(
  allow: string[],
  options: { maxResponseBytes?: number; timeoutMs?: number } = {},
): ChannelHttp {
  const guarded = createGuardedFetch(new AddressGuard(allow));
  opened.push(guarded);
  const clock = { now: () => new Date(), sleep: async () => undefined };
  return createChannelHttp({ limits: [], clock, log: quiet, fetch: guarded.fetch, ...options });
}

async function listen(...options: Parameters<typeof CountingListener.start>): Promise<CountingListener> {
  const listener = await CountingListener.start(...options);
  listeners.push(listener);
  return listener;
}

/** The status, or the code of the channel error. */
async function outcomeOf(http: ChannelHttp, url: string): Promise<number | string> {
  try {
    return (await http.request({ method: 'POST', url, json: { secret: 'canary' } })).status;
  } catch (error) {
    if (isChannelError(error)) return error.code;
    throw error;
  }
}

async function messageOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'answered',
    (error: Error) => error.message,
  );
}

const LOOPBACK_HOSTS = [
  ...spellingsOfIpv4('127.0.0.1'),
  ...spellingsOfIpv4('127.9.130.255'),
  ...spellingsOfIpv4('0.0.0.0'),
  ...spellingsOfIpv6([0, 0, 0, 0, 0, 0, 0, 1]),
  ...spellingsOfIpv6([0, 0, 0, 0, 0, 0, 0, 0]),
  ...spellingsOfIpv6([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1]),
  ...spellingsOfIpv6([0, 0, 0, 0, 0, 0xffff, 0x7f09, 0x82ff]),
  ...spellingsOfIpv6([0, 0, 0, 0, 0, 0xffff, 0, 0]),
  ...[
    'localhost',
    'LOCALHOST',
    'LocalHost',
    'ｌｏｃａｌｈｏｓｔ',
    'l%6fcalhost',
    'ⅼocalhost',
    'local\u00adhost',
  ],
];

/** URLs that put the host where a careless reader does not look for it. */
const urlsOf = (host: string, port: number): string[] => [`http://${host}:${port}/`];
const oddUrlsOf = (host: string, port: number): string[] => [
  `http:\\\\${host}:${port}/`,
  `http:${host}:${port}`,
  `http:///${host}:${port}/`,
  `HTTP://${host}:0${port}/?http://shop.example/`,
  `http://${host}:${port}#@shop.example/`,
  `http://${host}:${port}\\@shop.example/`,
  ` http://${host}:${port}/../`,
  `https://${host}:${port}/`,
];

describe('on this machine', () => {
  /** Both families on one port, so that every spelling of the table leads to somebody who counts. */
  async function listenOnAll(): Promise<CountingListener[]> {
    const first = await listen();
    return [
      first,
      await listen(undefined, '127.9.130.255', first.port),
      await listen(undefined, '::1', first.port),
    ];
  }
  const tableFor = (port: number): string[] => [
    ...LOOPBACK_HOSTS.flatMap((host) => urlsOf(host, port)),
    ...['127.0.0.1', '127.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'].flatMap((host) =>
      oddUrlsOf(host, port),
    ),
  ];

  test('no spelling of an address gets a connection through that is not allowed', async () => {
    const servers = await listenOnAll();
    const urls = tableFor(servers[0]!.port);
    expect(new Set(urls).size).toBeGreaterThan(450);
    const http = httpAllowing([]);
    const slipped: string[] = [];
    for (const url of urls) {
      const outcome = await outcomeOf(http, url);
      if (outcome !== 'channel-address') slipped.push(`${JSON.stringify(url)} ${outcome}`);
    }
    expect(slipped).toEqual([]);
    expect(servers.map(({ connections }) => connections)).toEqual([0, 0, 0]);
  });

  test('every spelling gets through where its address is allowed', async () => {
    const servers = await listenOnAll();
    const http = httpAllowing(['127.0.0.0/8', '::1', '::', '0.0.0.0']);
    const stopped: string[] = [];
    for (const url of tableFor(servers[0]!.port).filter((each) => !each.startsWith('https:'))) {
      const outcome = await outcomeOf(http, url);
      if (outcome !== 200) stopped.push(`${JSON.stringify(url)} ${outcome}`);
    }
    expect(stopped).toEqual([]);
    for (const { connections } of servers) expect(connections).toBeGreaterThan(0);
  });
});

/** Addresses that must not even be dialled, by what they are. */
const ELSEWHERE_HOSTS = [
  ...['10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '100.100.100.200'].flatMap(
    (address) => spellingsOfIpv4(address),
  ),
  ...['224.0.0.1', '240.0.0.1', '255.255.255.255', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1'],
  ...['192.0.0.192', '192.88.99.1', '168.63.129.16', '0.1.2.3'],
  ...['fc00::1', 'fd00:ec2::254', 'fe80::1', 'fec0::1', 'ff02::1', '2001:db8::1', '3fff::1', '100::1'].map(
    (address) => `[${address}]`,
  ),
  // ::/96, NAT64, its local-use prefix, 6to4 and Teredo around 10.0.0.1, 127.0.0.1 and 169.254.169.254.
  ...['a00:1', '7f00:1', 'a9fe:a9fe'].flatMap((low) => [
    `[::${low}]`,
    `[::ffff:${low}]`,
    `[::ffff:0:${low}]`,
    `[64:ff9b::${low}]`,
    `[64:ff9b:1::${low}]`,
    `[64:ff9b:1:ffff::${low}]`,
    `[2002:${low}::]`,
    `[2001:0:${low}::]`,
    `[2001:0:808:808::${low}]`,
  ]),
  ...['metadata.google.internal', 'METADATA.google.internal.', 'metadata.goog'],
];

/** Wherever a socket is dialled to, it arrives at the listener: a guard that lets one through reaches nobody else. */
function dialOnly(listener: CountingListener): jest.SpyInstance {
  const dial = net.connect;
  return jest
    .spyOn(net, 'connect')
    .mockImplementation((() =>
      dial({ host: '127.0.0.1', port: listener.port })) as unknown as typeof net.connect);
}

/** The resolver's answers, one after another; the last one stays. */
function resolveAs(...answers: string[][]): jest.SpyInstance {
  let calls = 0;
  return jest.spyOn(dns, 'lookup').mockImplementation((async () => {
    const answer = answers[Math.min(calls, answers.length - 1)] ?? [];
    calls += 1;
    return answer.map((address) => ({ address, family: net.isIP(address) }));
  }) as unknown as typeof dns.lookup);
}

describe('elsewhere', () => {
  test('no spelling of an address inside a network is dialled', async () => {
    const server = await listen();
    const dialled = dialOnly(server);
    const http = httpAllowing([]);
    const slipped: string[] = [];
    for (const host of ELSEWHERE_HOSTS) {
      for (const url of [`http://${host}/`, `https://${host}:8443/`]) {
        const outcome = await outcomeOf(http, url);
        if (outcome !== 'channel-address') slipped.push(`${JSON.stringify(url)} ${outcome}`);
      }
    }
    expect(slipped).toEqual([]);
    expect(dialled).not.toHaveBeenCalled();
    expect(server.connections).toBe(0);
  });

  test.each(['http', 'https'])(
    'a public address that a socket does not end up at is not sent a byte of %s',
    async (protocol) => {
      const server = await listen();
      dialOnly(server);
      expect(await outcomeOf(httpAllowing([]), `${protocol}://8.8.8.8/`)).toBe('channel-address');
      await eventually(() => expect(server).toMatchObject({ connections: 1, openConnections: 0 }));
      expect(server.received).toHaveLength(0);
    },
  );

  test('a public address is dialled, and where it ends up is allowed, spoken to', async () => {
    const server = await listen();
    dialOnly(server);
    expect(await outcomeOf(httpAllowing(['127.0.0.1']), 'http://8.8.8.8/')).toBe(200);
    expect(server.received.toString()).toContain('host: 8.8.8.8');
  });
});

describe('names', () => {
  test('a name is judged by what it stands for', async () => {
    const server = await listen();
    const url = `http://shop.example:${server.port}/`;
    resolveAs(['127.0.0.1']);
    expect(await outcomeOf(httpAllowing([]), url)).toBe('channel-address');
    expect(server.connections).toBe(0);
    for (const allow of [['127.0.0.1'], ['shop.example'], [`shop.example:${server.port}`]])
      expect(await outcomeOf(httpAllowing(allow), url)).toBe(200);
  });

  test('a name that is looked up again is judged again', async () => {
    const server = await listen();
    const second = await listen(undefined, '127.0.0.2', server.port);
    resolveAs(['127.0.0.1'], ['127.0.0.2']);
    const http = httpAllowing(['127.0.0.1']);
    const url = `http://shop.example:${server.port}/`;
    expect(await outcomeOf(http, url)).toBe(200);
    expect(await outcomeOf(http, url)).toBe('channel-address');
    expect([server.connections, second.connections]).toEqual([1, 0]);
  });

  test('what was judged is what is connected to: a connection takes one look-up', async () => {
    const server = await listen();
    const second = await listen(undefined, '127.0.0.2', server.port);
    const lookups = resolveAs(['127.0.0.1'], ['127.0.0.2']);
    expect(await outcomeOf(httpAllowing(['127.0.0.1']), `http://shop.example:${server.port}/`)).toBe(200);
    expect(lookups).toHaveBeenCalledTimes(1);
    expect(second.connections).toBe(0);
  });

  test.each([[['127.0.0.1', '127.0.0.2']], [['127.0.0.2', '127.0.0.1']], [['127.0.0.1', '::1']]])(
    'of %j one is not allowed, and neither is connected to',
    async (addresses) => {
      const server = await listen();
      const second = await listen(undefined, '127.0.0.2', server.port);
      resolveAs(addresses);
      const url = `http://shop.example:${server.port}/`;
      expect(await outcomeOf(httpAllowing(['127.0.0.1']), url)).toBe('channel-address');
      expect([server.connections, second.connections]).toEqual([0, 0]);
    },
  );

  test('of several addresses that are allowed the one that answers is taken', async () => {
    const server = await listen();
    resolveAs(['127.0.0.3', '127.0.0.1']);
    expect(await outcomeOf(httpAllowing(['127.0.0.0/8']), `http://shop.example:${server.port}/`)).toBe(200);
  });

  test.each([['127.1'], ['localhost'], ['']])(
    'a resolver that answers %j is not believed',
    async (address) => {
      const server = await listen();
      resolveAs([address]);
      const url = `http://shop.example:${server.port}/`;
      expect(await outcomeOf(httpAllowing(['127.0.0.1', '::1']), url)).toBe('channel-address');
      expect(server.connections).toBe(0);
    },
  );

  test('a name that nobody knows is unavailability, which may pass', async () => {
    jest.spyOn(dns, 'lookup').mockRejectedValue(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
    const message = await messageOf(httpAllowing([]).request({ method: 'GET', url: 'http://shop.example/' }));
    expect(message).toContain('could not be reached or broke off (ENOTFOUND)');
  });
});

describe('what a refusal says', () => {
  test('the call, the address, and what to do', async () => {
    const message = await messageOf(
      httpAllowing([]).request({ method: 'GET', url: 'http://127.1:8080/api?token=canary' }),
    );
    expect(message).toBe(
      'GET 127.0.0.1:8080/api not sent: 127.0.0.1 is a loopback address, and plugins reach public addresses only; ' +
        'where this is the channel, add "127.0.0.1:8080" to outbound.allow in onhand.yaml',
    );
  });

  test('nothing secret, where the name of the host is a secret', async () => {
    resolveAs(['10.0.0.1']);
    const { fetch } = createGuardedFetch(new AddressGuard([]));
    const clock = { now: () => new Date(), sleep: async () => undefined };
    const http = createChannelHttp({ limits: [], clock, log: quiet, fetch, secrets: ['canary'] });
    const message = await messageOf(http.request({ method: 'GET', url: 'http://canary.example/' }));
    expect(message).toContain('[redacted].example stands for');
    expect(message).not.toContain('canary');
  });
});

describe('other ways in', () => {
  test('a redirect inward is not followed, allowed or not', async () => {
    const inner = await listen();
    const server = await listen((socket: Socket) =>
      socket.end(
        `HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:${inner.port}/\r\ncontent-length: 0\r\n\r\n`,
      ),
    );
    for (const allow of [[`127.0.0.1:${server.port}`], ['127.0.0.1']])
      expect(await outcomeOf(httpAllowing(allow), `http://127.0.0.1:${server.port}/`)).toBe(
        'channel-protocol',
      );
    expect(inner.connections).toBe(0);
  });

  test('a proxy that the environment names is not used', async () => {
    const [server, proxy] = [await listen(), await listen()];
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    jest.replaceProperty(process, 'env', {
      ...process.env,
      ...Object.fromEntries(names.map((name) => [name, `http://127.0.0.1:${proxy.port}`])),
    });
    expect(await outcomeOf(httpAllowing(['127.0.0.1']), `http://127.0.0.1:${server.port}/`)).toBe(200);
    expect([server.connections, proxy.connections]).toEqual([1, 0]);
  });

  test.each([
    'file:///etc/passwd',
    'data:text/plain,x',
    'ftp://127.0.0.1/',
    'unix:/run/x.sock',
    'blob:x',
    '//127.0.0.1/',
  ])('%s is no way to a channel', async (url) =>
    expect(await outcomeOf(httpAllowing(['127.0.0.1']), url)).toBe('channel-request'),
  );
});
