import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { CountingListener } from '../../test/support/counting-listener';
import { eventually } from '../../test/support/eventually';
import { selfSignedCertificate } from '../../test/support/self-signed';
import { type ChannelHttp, createChannelHttp, isChannelError } from '../channel-api';
import { AddressGuard } from './address-guard';
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch';

let guarded: GuardedFetch;
let http: ChannelHttp;
let server: CountingListener | undefined;

beforeEach(() => {
  guarded = createGuardedFetch(new AddressGuard(['127.0.0.1']));
  const quiet = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const clock = { now: () => new Date(), sleep: async () => undefined };
  const bounds = { maxResponseBytes: 1_000_000, timeoutMs: 10_000 };
  http = createChannelHttp({ limits: [], clock, log: quiet, fetch: guarded.fetch, ...bounds });
});

afterEach(async () => {
  await guarded.close();
  await server?.close();
  server = undefined;
});

/** The message of the channel error that a call ends in, with its code in front. */
async function failureOf(url: string, timeoutMs?: number): Promise<string> {
  return http.request({ method: 'GET', url, timeoutMs }).then(
    ({ status }) => `answered ${status}`,
    (error: unknown) => {
      if (isChannelError(error)) return `${error.code} ${error.message}`;
      throw error;
    },
  );
}

/** `talkedTo.closed` resolves when a socket that was talked to is closed. */
const talkedTo: { closed: Promise<unknown> } = { closed: Promise.resolve() };

async function urlOf(talk: (socket: Socket, received: Buffer) => void, protocol = 'http'): Promise<string> {
  server = await CountingListener.start((socket, received) => {
    talkedTo.closed = new Promise((resolve) => socket.once('close', resolve));
    talk(socket, received);
  });
  return `${protocol}://127.0.0.1:${server.port}/`;
}

const OK = 'HTTP/1.1 200 OK\r\n';

/** Writes blocks for as long as the other side takes them, and counts the bytes. */
function pour(socket: Socket, block: string | Buffer): { bytes: number } {
  const poured = { bytes: 0 };
  const more = () => {
    while (!socket.destroyed && socket.write(block)) poured.bytes += block.length;
  };
  socket.on('drain', more);
  more();
  return poured;
}

describe('an answer', () => {
  test.each([
    ['one header without an end', 'x: ', 'y'.repeat(1_000)],
    ['headers without an end', '', `x: ${'y'.repeat(990)}\r\n`],
  ])('with %s is cut off', async (_, start, block) => {
    let poured = { bytes: 0 };
    const url = await urlOf((socket) => {
      socket.write(OK + start);
      poured = pour(socket, block);
    });
    expect(await failureOf(url)).toMatch(/^channel-unavailable .*UND_ERR_HEADERS_OVERFLOW/);
    expect(poured.bytes).toBeLessThan(20_000_000);
    await talkedTo.closed;
  });

  test('with a body without an end is cut off', async () => {
    let poured = { bytes: 0 };
    const url = await urlOf((socket) => {
      socket.write(`${OK}\r\n`);
      poured = pour(socket, Buffer.alloc(65_536));
    });
    expect(await failureOf(url)).toContain('answered more than 1000000 bytes');
    expect(poured.bytes).toBeLessThan(50_000_000);
    await talkedTo.closed;
  });

  test.each([
    ['once', 'gzip', (body: Buffer) => gzipSync(body), 'more than 1000000 bytes'],
    ['twice', 'gzip, gzip', (body: Buffer) => gzipSync(gzipSync(body)), 'more than 1000000 bytes'],
    ['over and over', Array(20).fill('gzip').join(), (body: Buffer) => gzipSync(body), 'broke off'],
  ])('packed %s is bounded by what it unpacks to', async (_, encoding, pack, says) => {
    const packed = pack(Buffer.alloc(50_000_000));
    const url = await urlOf((socket) => {
      socket.write(`${OK}content-encoding: ${encoding}\r\ncontent-length: ${packed.length + 1}\r\n\r\n`);
      socket.write(packed);
    });
    expect(await failureOf(url)).toContain(says);
    await talkedTo.closed;
  });

  test.each([
    ['no byte', '', ''],
    ['headers drop by drop', OK, 'x: y\r\n'],
    ['a body drop by drop', `${OK}\r\n`, ' '],
    ['one interim answer after another', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('of %s ends with the time of the call', async (_, start, drop) => {
    const url = await urlOf((socket) => {
      socket.write(start);
      const timer = setInterval(() => socket.write(drop), 20);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await failureOf(url, 400)).toContain('gave no complete answer within 0.4 s');
    await talkedTo.closed;
  });
});

describe('connections', () => {
  test('are so many and no more, and are let go when nobody waits for them', async () => {
    const url = await urlOf(() => undefined);
    const failures = await Promise.all(Array.from({ length: 60 }, () => failureOf(url, 400)));
    expect(new Set(failures.map((text) => text.split(' ')[0]))).toEqual(new Set(['channel-unavailable']));
    expect(server?.mostOpen).toBe(16);
    await eventually(() => expect(server?.openConnections).toBe(0));
  });

  test('are used again, and kept by no wish of the other side', async () => {
    const url = await urlOf((socket) =>
      socket.write(`${OK}keep-alive: timeout=86400\r\ncontent-length: 2\r\n\r\n{}`),
    );
    for (let calls = 0; calls < 5; calls += 1) expect(await failureOf(url)).toBe('answered 200');
    expect(server?.connections).toBeLessThan(5);
    expect(server?.openConnections).toBeGreaterThan(0);
    await guarded.close();
    await eventually(() => expect(server?.openConnections).toBe(0));
  });

  test('half made are ended with the host', async () => {
    const url = await urlOf(() => undefined, 'https');
    expect(await failureOf(url, 400)).toContain('gave no complete answer within 0.4 s');
    expect(server?.openConnections).toBe(1);
    await guarded.close();
    await eventually(() => expect(server?.openConnections).toBe(0));
  });

  test('cut off and refused are unavailability', async () => {
    const url = await urlOf((socket) => socket.resetAndDestroy());
    expect(await failureOf(url)).toMatch(/^channel-unavailable .*(ECONNRESET|UND_ERR_SOCKET)/);
    await server?.close();
    expect(await failureOf(url)).toMatch(/^channel-unavailable .*ECONNREFUSED/);
    server = undefined;
  });
});

describe('TLS', () => {
  const { key, cert } = selfSignedCertificate();
  const tls = createServer({ key, cert }, (socket) => {
    socket.on('error', () => undefined);
    socket.end(`${OK}connection: close\r\ncontent-length: 2\r\n\r\n{}`);
  });
  let folder: string;
  let url: string;

  beforeAll(async () => {
    tls.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    url = `https://localhost:${(tls.address() as AddressInfo).port}/`;
    folder = mkdtempSync(join(tmpdir(), 'onhand-tls-'));
    writeFileSync(join(folder, 'cert.pem'), cert);
  });

  afterAll(() => {
    tls.close();
    rmSync(folder, { recursive: true });
  });

  test('is spoken to an address that is allowed, for the name in the URL', async () => {
    const named = await urlOf(() => undefined, 'https');
    await failureOf(named.replace('127.0.0.1', 'localhost'));
    expect(server?.received[0]).toBe(22);
    expect(server?.received.toString('latin1')).toContain('localhost');
  });

  test('a certificate that nobody vouches for is refused', async () => {
    expect(await failureOf(url)).toMatch(/^channel-unavailable .*DEPTH_ZERO_SELF_SIGNED_CERT/);
  });

  /** Trust is given to a process as a whole, and when it starts. */
  const statusInChild = async (target: string): Promise<string> => {
    const script = `
      const { AddressGuard } = require('./src/channels/address-guard.ts');
      const { createGuardedFetch } = require('./src/channels/guarded-fetch.ts');
      const { fetch, close } = createGuardedFetch(new AddressGuard(['127.0.0.1']));
      fetch(${JSON.stringify(target)})
        .then(({ status }) => status, (error) => error.cause.code)
        .then((outcome) => console.log(outcome))
        .finally(close);`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['-r', './test/support/register-swc.js', '-e', script],
      {
        cwd: join(__dirname, '../..'),
        env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') },
      },
    );
    return stdout.trim();
  };

  test('a certificate that the system trusts is accepted for its own name only', async () => {
    expect(await statusInChild(url)).toBe('200');
    expect(await statusInChild(url.replace('localhost', '127.0.0.1'))).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });
});
