import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Test } from '@nestjs/testing';
import { BufferConfig, HostBufferConfig } from './buffer.config';
import { Config } from './config';
import { ConfigError, type ConfigFault } from './config.errors';
import { ConfigModule } from './config.module';
import { loadConfig } from './load-config';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onhand-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function load(yaml: string | undefined, env: NodeJS.ProcessEnv = {}): Config {
  if (yaml !== undefined) writeFileSync(join(folder, 'onhand.yaml'), yaml);
  return loadConfig({ env, cwd: folder });
}

function refusal(yaml: string | undefined, env: NodeJS.ProcessEnv = {}): ConfigError {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted, and a refusal was expected.');
}

function faults(yaml: string | undefined, env: NodeJS.ProcessEnv = {}): readonly ConfigFault[] {
  return refusal(yaml, env).faults;
}

/** A channel's lines, put under `channels:`. */
function channel(...lines: string[]): string {
  return [
    'channels:',
    '  - name: shop',
    '    plugin: "@onhand/generic-rest"',
    ...lines.map((line) => `    ${line}`),
  ].join('\n');
}

describe('which file', () => {
  test('no file means defaults alone', () => {
    const config = load(undefined);
    expect(config).toMatchObject({
      server: {
        host: '127.0.0.1',
        port: 3000,
        publicUrl: null,
        bodyLimitBytes: 1_048_576,
        trustProxy: false,
      },
      database: { url: null, poolSize: 10 },
      dataDir: join(folder, 'data'),
      dataDirExplicit: false,
      log: { level: 'info', pretty: 'auto' },
      role: 'all',
      roles: ['web', 'worker', 'scheduler'],
      redis: { url: null },
      locations: [{ code: 'main', name: 'Main warehouse', priority: 1 }],
      reservations: { maxTtlSeconds: 604_800, expireEverySeconds: 1 },
      ledger: { maxBatch: 256, lanes: 1 },
      buffers: { ...new HostBufferConfig() },
      intake: { sweepEverySeconds: 10, maxAttempts: 10, pollOverlapSeconds: 600 },
      push: { pollEverySeconds: 5, leaseSeconds: 60, maxAttempts: 10 },
      outbound: { allow: [] },
      limits: { maxWaitSeconds: 30, maxRetryAfterSeconds: 900 },
      breaker: {
        failures: 5,
        failurePercent: 50,
        windowSeconds: 30,
        minCalls: 20,
        openSeconds: 10,
        maxOpenSeconds: 300,
        staleAfterSeconds: 900,
      },
      channels: [],
      adminKey: null,
      file: null,
      folder,
    });
  });

  test('an empty file, and sections with every line commented out, mean defaults', () => {
    expect(load('# nothing yet\n').server.port).toBe(3000);
    const config = load('server:\n  # port: 1\nchannels:\nlocations:\n');
    expect([config.server.port, config.channels, config.locations.length]).toEqual([3000, [], 1]);
  });

  test('--config wins over ONHAND_CONFIG, which wins over ./onhand.yaml', () => {
    writeFileSync(join(folder, 'onhand.yaml'), 'server: { port: 1 }');
    writeFileSync(join(folder, 'two.yaml'), 'server: { port: 2 }');
    writeFileSync(join(folder, 'three.yaml'), 'server: { port: 3 }');
    const env = { ONHAND_CONFIG: 'two.yaml' };
    expect(loadConfig({ env: {}, cwd: folder }).server.port).toBe(1);
    expect(loadConfig({ env, cwd: folder }).server.port).toBe(2);
    expect(loadConfig({ file: 'three.yaml', env, cwd: folder }).server.port).toBe(3);
  });

  test('a named file that is missing is a fault that says who named it', () => {
    expect(faults(undefined, { ONHAND_CONFIG: 'gone.yaml' })).toEqual([
      { path: 'ONHAND_CONFIG', expected: `a readable file at ${join(folder, 'gone.yaml')}`, found: 'ENOENT' },
    ]);
    expect(() => loadConfig({ file: 'gone.yaml', env: {}, cwd: folder })).toThrow(
      /--config expected a readable/,
    );
  });

  test('an onhand.yaml that cannot be read is a fault, not a start with defaults', () => {
    mkdirSync(join(folder, 'onhand.yaml'));
    expect(faults(undefined)[0]).toMatchObject({ found: 'EISDIR' });
  });

  test('relative paths start from the folder of the file', () => {
    const inner = join(folder, 'etc');
    mkdirSync(inner);
    writeFileSync(
      join(inner, 'o.yaml'),
      `dataDir: ../state\n${channel('listings: ./l.csv').replace('@onhand/generic-rest', './mine')}`,
    );
    const config = loadConfig({ file: 'etc/o.yaml', env: {}, cwd: folder });
    expect(config).toMatchObject({ dataDir: join(folder, 'state'), dataDirExplicit: true, folder: inner });
    expect(config.channels[0]).toMatchObject({ plugin: join(inner, 'mine'), listings: join(inner, 'l.csv') });
  });

  test('the example at the root of the project is a valid configuration', () => {
    const file = resolve(__dirname, '../../onhand.example.yaml');
    const config = loadConfig({ file, env: {}, cwd: folder });
    const bare = load(undefined);
    expect({
      ...config.server,
      ...config.ledger,
      ...config.push,
      ...config.intake,
      ...config.reservations,
      ...config.buffers,
      ...config.alerts,
      ...config.deliveries,
    }).toEqual({
      ...bare.server,
      ...bare.ledger,
      ...bare.push,
      ...bare.intake,
      ...bare.reservations,
      ...bare.buffers,
      ...bare.alerts,
      ...bare.deliveries,
    });
  });
});

describe('faults', () => {
  test('every fault is named at once, with its path, its line and what is expected', () => {
    const error = refusal(
      [
        'server:',
        '  port: abc',
        '  hosst: x',
        'log: { level: loud }',
        'ledger: 5',
        'push:',
        '  leaseSeconds: 1.5',
      ].join('\n'),
    );
    expect(error.faults).toEqual([
      { path: 'server.port', expected: 'a whole number from 0 to 65535', found: '"abc"', line: 2, column: 3 },
      { path: 'server.hosst', expected: 'a known key; did you mean host?', line: 3, column: 3 },
      {
        path: 'log.level',
        expected: 'one of fatal, error, warn, info, debug, trace, silent',
        found: '"loud"',
        line: 4,
        column: 8,
      },
      { path: 'ledger', expected: 'a mapping of settings', found: 'a number', line: 5, column: 1 },
      {
        path: 'push.leaseSeconds',
        expected: 'a whole number from 5 to 3600',
        found: '1.5',
        line: 7,
        column: 3,
      },
    ]);
    expect(error.message).toContain('has 5 faults');
    for (const fault of error.faults)
      expect(error.message).toContain(`line ${fault.line}:${fault.column} ${fault.path}`);
  });

  test.each([
    ['server: []', 'server', 'a list'],
    ['server: { port: "3000" }', 'server.port', '"3000"'],
    ['server: { port: null }', 'server.port', 'nothing'],
    ['server: { port: 65536 }', 'server.port', '65536'],
    ['server: { trustProxy: yes }', 'server.trustProxy', '"yes"'],
    ['server: { publicUrl: "ftp://x" }', 'server.publicUrl', '"ftp://x"'],
    ['log: { pretty: maybe }', 'log.pretty', '"maybe"'],
    ['locations: []', 'locations', 'a list'],
    ['locations: [5]', 'locations[0]', 'a number'],
    ['locations: [{ name: x }]', 'locations[0].code', 'nothing'],
    ['locations: [{ code: a, priority: 0 }]', 'locations[0].priority', '0'],
    ['buffers: { percent: 101 }', 'buffers.percent', '101'],
    ['buffers: { stalePercent: -1 }', 'buffers.stalePercent', '-1'],
    ['limits: { maxWaitSeconds: 301 }', 'limits.maxWaitSeconds', '301'],
    ['limits: { maxRetryAfterSeconds: 0 }', 'limits.maxRetryAfterSeconds', '0'],
    ['breaker: { failures: 0 }', 'breaker.failures', '0'],
    [channel('breaker: { openSeconds: 1.5 }'), 'channels[0].breaker.openSeconds', '1.5'],
    ['channels: { name: shop }', 'channels', 'a mapping'],
    [channel('mode: on'), 'channels[0].mode', '"on"'],
    [channel('options: some text'), 'channels[0].options', 'a text'],
    ['intake: { pollOverlapSeconds: -1 }', 'intake.pollOverlapSeconds', '-1'],
    [channel('pollOrdersEverySeconds: -1'), 'channels[0].pollOrdersEverySeconds', '-1'],
    [channel('pollOrdersLookbackSeconds: 1.5'), 'channels[0].pollOrdersLookbackSeconds', '1.5'],
    [channel('returns: shelf'), 'channels[0].returns', '"shelf"'],
    [channel('shortfall: { policy: refuse }'), 'channels[0].shortfall.policy', '"refuse"'],
    [channel('shortfall: { graceSeconds: -1 }'), 'channels[0].shortfall.graceSeconds', '-1'],
    [channel('shortfall: { reason: "" }'), 'channels[0].shortfall.reason', '""'],
    [
      channel('shortfall: { message: "Sorry, {{buyer}}" }'),
      'channels[0].shortfall.message',
      '"Sorry, {{buyer}}"',
    ],
    [channel('shortfall: { message: "{{orderId" }'), 'channels[0].shortfall.message', '"{{orderId"'],
    [channel('reconcileEverySeconds: 59'), 'channels[0].reconcileEverySeconds', '59'],
    [channel('cap: -1'), 'channels[0].cap', '-1'],
    [channel('buffer: { units: .nan }'), 'channels[0].buffer.units', 'NaN'],
    [channel('mode: pilot'), 'channels[0].pilotTags', 'nothing'],
    [channel('pilotTags: [1]'), 'channels[0].pilotTags', 'a list'],
    ['channels: [{ name: Shop, plugin: x }]', 'channels[0].name', '"Shop"'],
    ['channels: [{ name: shop }]', 'channels[0].plugin', 'nothing'],
    ['channels: [{ name: shop, plugin: "not a name" }]', 'channels[0].plugin', '"not a name"'],
    ['alerts: { kpis: { oversels: 1 } }', 'alerts.kpis.oversels', '"oversels"'],
    ['alerts: { kpis: { oversells: -1 } }', 'alerts.kpis.oversells', '-1'],
    ['text', '', 'a text'],
  ])('%j is one fault at %j that found %s', (yaml, path, found) => {
    expect(faults(yaml)).toEqual([expect.objectContaining({ path, found })]);
  });

  test('an unknown key close to a known one is answered with a suggestion, any other with the choices', () => {
    expect(faults('servr: {}')[0]?.expected).toBe('a known key; did you mean server?');
    expect(faults('server: { public_url: x }')[0]?.expected).toBe('a known key; did you mean publicUrl?');
    expect(faults('server: { p_o_r_t: 1 }')[0]?.expected).toBe('a known key; did you mean port?');
    expect(faults('redis: { zzzzzz: 1 }')[0]?.expected).toBe('one of the keys url');
  });

  test('two channels of one name are refused, and so are two locations of one code', () => {
    const shop = '{ name: shop, plugin: x }';
    expect(
      faults(`channels:\n  - ${shop}\n  - ${shop}\nlocations: [{ code: a }, { code: a }]`),
    ).toMatchObject([
      { path: 'channels[1].name', line: 3 },
      { path: 'locations[1].code', line: 4 },
    ]);
  });

  test('a location map that names an unknown location is refused', () => {
    expect(faults(channel('locations: { "gid://1": main, second: north }'))).toMatchObject([
      { path: 'channels[0].locations.second', found: '"north"', line: 4 },
    ]);
  });

  test('the administrator key in the file is refused with the place where it belongs', () => {
    const [fault] = faults('adminKey: 0123456789abcdef0');
    expect(fault?.expected).toContain('ONHAND_ADMIN_KEY');
    expect(fault).not.toHaveProperty('found');
  });
});

describe('role', () => {
  const shared = 'database: { url: "postgres://h/onhand" }\n';

  test.each([
    ['all', ['web', 'worker', 'scheduler']],
    ['web', ['web']],
    ['scheduler,worker', ['worker', 'scheduler']],
    ['web, worker, web', ['web', 'worker']],
  ])('%j means %j', (role, roles) => {
    expect(load(`${shared}role: ${role}`).roles).toEqual(roles);
    expect(load(`${shared}role: all`, { ONHAND_ROLE: role }).roles).toEqual(roles);
  });

  test.each(['', 'wokrer', 'web worker', 'web,', 'all,web', 'Web', '[web]', 'true'])(
    '%j is refused with the choices',
    (role) => {
      expect(faults(`${shared}role: ${role}`)).toMatchObject([
        { path: 'role', expected: expect.stringMatching(/^all, or some of web, worker, scheduler/), line: 2 },
      ]);
    },
  );

  test('a part of the work alone is refused where no other host could do the rest', () => {
    expect(faults('role: web')).toMatchObject([
      { path: 'role', expected: expect.stringMatching(/^all, because.*set database.url/), found: '"web"' },
    ]);
    expect(faults(undefined, { ONHAND_ROLE: 'worker' })[0]?.path).toBe('ONHAND_ROLE (environment, for role)');
    expect(load('role: web,worker,scheduler').roles).toHaveLength(3);
  });
});

describe('YAML', () => {
  test('a syntax error names its line and column and does not quote the text', () => {
    const error = refusal('server:\n  host: "hunter2\n');
    expect(error.faults[0]).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
    expect(error.message).toMatch(/line \d+:\d+ expected a closing quote/);
    expect(error.message).not.toContain('hunter2');
  });

  test.each([
    ['server: {}\nserver: {}', 'each key once'],
    ['server:\n\tport: 1', 'spaces, not tabs'],
    ['server: {}\n---\nserver: {}', 'one document'],
    ['dataDir: !secret x', 'without a !tag'],
    ['dataDir: !!binary aGVsbG8=', 'without a !tag'],
    ['dataDir: *missing', 'aliases'],
    ['server: { port: ${PORT_A} }', 'needs quotes'],
    ['? [a]\n: b', 'plain text as a key'],
  ])('%j is refused', (yaml, expected) => {
    expect(refusal(yaml).message).toContain(expected);
  });

  test('aliases that multiply into gigabytes are refused', () => {
    const rows = Array.from(
      { length: 12 },
      (_, row) =>
        `r${row}: &r${row} [${Array(9)
          .fill(row ? `*r${row - 1}` : 'x')
          .join()}]`,
    );
    expect(faults(rows.join('\n'))).toMatchObject([
      { path: '', expected: expect.stringContaining('100 times') },
    ]);
  });

  test.each([
    ['brackets', `a: ${'['.repeat(50_000)}`],
    ['dashes', '- '.repeat(50_000)],
    ['indentation', Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['an alias inside its own anchor', channel('options: &o', '  again: *o')],
  ])('%s without end is refused and does not crash the process', (_, yaml) => {
    expect(refusal(yaml).message).toMatch(/at most \d+ deep/);
  });

  test('a file that is far too large is refused unparsed', () => {
    expect(refusal(`# ${'x'.repeat(300_000)}`).message).toContain('at most 262144 characters');
  });

  test('__proto__ is refused at every level and changes no prototype', () => {
    const yaml = `__proto__: { polluted: 1 }\n${channel('options:', '  deep: { __proto__: { polluted: 1 } }')}`;
    expect(faults(yaml).map(({ path }) => path)).toEqual(['__proto__', 'channels[0].options.deep.__proto__']);
    expect({}).not.toHaveProperty('polluted');
  });

  test('a constructor key is an unknown key like any other', () => {
    expect(faults('constructor: { name: x }')).toMatchObject([{ path: 'constructor' }]);
  });

  test('anchors share lines between channels', () => {
    const yaml = `${channel('options: &o { url: http://a }')}\n  - { name: two, plugin: x, options: *o }`;
    expect(load(yaml).channels[1]?.options).toEqual({ url: 'http://a' });
  });
});

describe('${VAR}', () => {
  test('a reference is replaced whole or within text, also in options', () => {
    const env = { TOKEN: 't-1', NAME: 'shop' };
    const config = load(
      channel('options:', '  header: "Bearer ${TOKEN}"', '  list: ["${NAME}-uk", "${NAME}"]'),
      env,
    );
    expect(config.channels[0]?.options).toEqual({ header: 'Bearer t-1', list: ['shop-uk', 'shop'] });
    expect(config.fromVariables).toContain('channels[0].options.header');
  });

  test('$${ stands for ${ itself', () => {
    expect(load(channel('options: { a: "$${NOT_SET}" }')).channels[0]?.options).toEqual({ a: '${NOT_SET}' });
  });

  test('a default takes the place of a missing or an empty variable', () => {
    const yaml = channel('options: { a: "${A:-x}", b: "${B:-}", c: "${C:-z}" }');
    expect(load(yaml, { C: '' }).channels[0]?.options).toEqual({ a: 'x', b: '', c: 'z' });
  });

  test('a missing variable, and an empty one, is a fault that names it', () => {
    const yaml = channel('options:', '  a: "${SHOP_TOKEN}"', '  b: "${EMPTY}"', '  c: "${constructor}"');
    expect(faults(yaml, { EMPTY: '' })).toMatchObject([
      {
        path: 'channels[0].options.a',
        expected: expect.stringContaining('variable SHOP_TOKEN to be set'),
        line: 5,
      },
      {
        path: 'channels[0].options.b',
        expected: expect.stringContaining('variable EMPTY to be set'),
        line: 6,
      },
      {
        path: 'channels[0].options.c',
        expected: expect.stringContaining('variable constructor to be set'),
        line: 7,
      },
    ]);
  });

  test('a missing variable is one fault, and the setting it was for no second one', () => {
    expect(faults('server: { port: "${NOPE}" }')).toHaveLength(1);
  });

  test.each(['${}', '${1A}', '${A B}', '${open'])('%s is not a reference, and a fault', (text) => {
    expect(refusal(channel(`options: { a: '${text}' }`), { A: '1' }).message).toContain(
      'a reference such as ${NAME}',
    );
  });

  test('a number or a boolean is converted where the setting takes one, in its canonical form only', () => {
    const yaml =
      'server: { port: "${P}", trustProxy: "${T}" }\nlog: { pretty: "${T}" }\nbuffers: { percent: "${F}" }';
    const config = load(yaml, { P: '8080', T: 'true', F: '2.5' });
    expect([config.server.port, config.server.trustProxy, config.log.pretty, config.buffers.percent]).toEqual(
      [8080, true, true, 2.5],
    );
    for (const text of ['0x10', '1e3', ' 80', '080', '+80', '80.0', 'Infinity']) {
      expect(faults('server: { port: "${P}" }', { P: text })).toMatchObject([{ path: 'server.port' }]);
    }
  });

  test('a number from a variable stays text in options, which are the plugin’s to read', () => {
    expect(load(channel('options: { n: "${N}" }'), { N: '5' }).channels[0]?.options).toEqual({ n: '5' });
  });
});

describe('environment', () => {
  test('variables win over the file', () => {
    const env = {
      PORT: '4000',
      HOST: '0.0.0.0',
      DATABASE_URL: 'postgres://u:p@db/onhand',
      REDIS_URL: 'redis://cache:6379',
      ONHAND_DATA_DIR: 'var',
      LOG_LEVEL: 'debug',
      ONHAND_ADMIN_KEY: 'k'.repeat(16),
    };
    expect(load('server: { port: 1, host: a }\nlog:\n  level: warn', env)).toMatchObject({
      server: { port: 4000, host: '0.0.0.0' },
      database: { url: 'postgres://u:p@db/onhand' },
      redis: { url: 'redis://cache:6379' },
      log: { level: 'debug' },
      dataDir: join(folder, 'var'),
      dataDirExplicit: true,
      adminKey: 'k'.repeat(16),
    });
  });

  test('an empty variable counts as not set', () => {
    const config = load('server: { port: 5 }', { PORT: '', DATABASE_URL: '', ONHAND_ADMIN_KEY: '' });
    expect([config.server.port, config.database.url, config.adminKey]).toEqual([5, null, null]);
  });

  test('a fault from the environment names the variable and no line', () => {
    const env = {
      PORT: '80a',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://u:hunter2@h/d',
      ONHAND_ADMIN_KEY: 'hunter2',
    };
    const error = refusal('server: { port: 1 }', env);
    expect(error.faults.map(({ path }) => path)).toEqual([
      'ONHAND_ADMIN_KEY (environment)',
      'PORT (environment, for server.port)',
      'DATABASE_URL (environment, for database.url)',
      'LOG_LEVEL (environment, for log.level)',
    ]);
    expect(error.faults.every(({ line }) => line === undefined)).toBe(true);
    expect(error.message).not.toContain('hunter2');
  });
});

describe('what is resolved', () => {
  test('the whole object is frozen', () => {
    const config = load(channel('options: { deep: { list: [1] } }'));
    expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.channels[0]?.options.deep as object, { x: 1 })).toThrow(TypeError);
    expect(() => (config.channels as unknown[]).push(1)).toThrow(TypeError);
    expect(Object.isFrozen(config.channels[0]?.locations)).toBe(true);
  });

  test('a channel takes from the host’s buffers what its own does not set', () => {
    const yaml = `buffers: { units: 5, percent: 10 }\n${channel('buffer: { units: 0 }')}\n  - { name: b, plugin: x }`;
    expect(load(yaml).channels.map(({ buffer }) => ({ ...buffer }))).toEqual([
      { ...new BufferConfig(), units: 0, percent: 10 },
      { ...new BufferConfig(), units: 5, percent: 10 },
    ]);
  });

  test('a channel that says nothing of orders holds what is short, polls, and quarantines returns', () => {
    expect(load(channel()).channels[0]).toMatchObject({
      pollOrdersEverySeconds: 300,
      pollOrdersLookbackSeconds: 0,
      returns: 'quarantined',
      shortfall: { policy: 'hold', graceSeconds: 120, reason: 'out of stock' },
    });
  });

  test('the message to customers keeps its variables, which are not those of the environment', () => {
    const yaml = channel('shortfall: { policy: cancel, message: "{{units}} of {{orderId}}" }');
    expect(load(yaml).channels[0]!.shortfall.message).toBe('{{units}} of {{orderId}}');
  });

  test('a channel takes from the host’s breaker what its own does not set', () => {
    const yaml = `breaker: { failures: 9, openSeconds: 2 }\n${channel('breaker: { openSeconds: 7 }')}`;
    expect(load(yaml).channels[0]?.breaker).toMatchObject({
      failures: 9,
      openSeconds: 7,
      maxOpenSeconds: 300,
    });
  });

  test('a location map finds only what was written in it', () => {
    const { locations } = load(channel('locations: { "12": main }')).channels[0] ?? {};
    expect(locations?.['12']).toBe('main');
    expect(locations?.constructor).toBeUndefined();
  });

  test('a location without a name is called by its code, and a public address loses its last slash', () => {
    const config = load('locations: [{ code: north }]\nserver: { publicUrl: "https://a.example/" }');
    expect(config.locations[0]).toMatchObject({ code: 'north', name: 'north', priority: 1 });
    expect(config.server.publicUrl).toBe('https://a.example');
  });

  test('other rooms inject the frozen object by its class', async () => {
    const config = load(undefined);
    const nest = await Test.createTestingModule({ imports: [ConfigModule.forRoot(config)] }).compile();
    expect(nest.get(Config)).toBe(config);
  });
});

describe('secrets', () => {
  const SECRET = 'hunter2-very-secret';

  test.each([
    ['a value from a variable', 'server: { host: "a/${S}" }'],
    ['a value written under a secret-like key', channel('buffer: { apiToken: hunter2-very-secret }')],
    ['a connection address', 'database: { url: "hunter2-very-secret" }'],
    ['credentials inside an address', 'server: { publicUrl: "ftp://u:hunter2-very-secret@h" }'],
    ['a text where a mapping belongs', channel('options: hunter2-very-secret')],
    ['a text where a list belongs', channel('pilotTags: hunter2-very-secret')],
    ['a text in place of the file', 'hunter2-very-secret'],
    ['an unexpected token', 'server: {}}hunter2-very-secret'],
    ['an unknown alias', 'dataDir: *hunter2-very-secret'],
    ['an unknown tag', 'dataDir: !hunter2-very-secret x'],
    ['a duplicate key', 'dataDir: hunter2-very-secret\ndataDir: x'],
    ['a broken escape', 'dataDir: "hunter2-very-secret\\q"'],
  ])('%s never shows in a refusal', (_, yaml) => {
    const error = refusal(yaml, { S: SECRET });
    expect(JSON.stringify({ ...error, text: error.message, stack: error.stack })).not.toContain(SECRET);
  });
});
