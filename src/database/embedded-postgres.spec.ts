import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, chown, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { temporaryFolder } from '../../test/support/test-server';
import {
  DataDirectoryInUseError,
  DataDirectoryUnusableError,
  EmbeddedPostgresError,
} from './database.errors';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './embedded-postgres';
import { processIdentity } from './process-identity';

jest.setTimeout(120_000);

const asRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };
/** An ordinary user other than nobody that every Unix has. */
const daemon = { uid: 1, gid: 1 };
const QUICK = { fsync: 'off', shared_buffers: '16MB', max_connections: 20 };

const messages: string[] = [];
const log = {
  log: (message: string) => void messages.push(message),
  warn: (message: string) => void messages.push(message),
  error: (message: string) => void messages.push(message),
};

let root: string;
let running: EmbeddedPostgres[];
let children: ChildProcess[];

beforeEach(async () => {
  root = await temporaryFolder();
  running = [];
  children = [];
  messages.length = 0;
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(running.map((server) => server.stop()));
  await killServersBelow(root);
  await rm(root, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataDir: join(root, 'data'),
    explicit: true,
    database: 'onhand',
    log,
    extraSettings: QUICK,
    ...options,
  });
  running.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function postmasterPid(dataDir: string): Promise<number> {
  return Number((await readFile(join(dataDir, 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

async function killServersBelow(folder: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const pid = await postmasterPid(join(folder, entry)).catch(() => 0);
    if (pid > 0 && (await processIdentity(pid))) process.kill(pid, 'SIGQUIT');
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

/** Another host: a process of its own that starts PostgreSQL and then prints its answer as one JSON line. */
async function otherHost(
  dataDir: string,
  as?: { uid: number; gid: number },
): Promise<{ child: ChildProcess; answer: { url: string; adopted: boolean; error?: string } }> {
  const script = `
    require(${JSON.stringify(resolve(__dirname, '../../test/support/register-swc.js'))});
    const { startEmbeddedPostgres } = require(${JSON.stringify(join(__dirname, 'embedded-postgres.ts'))});
    const log = { log() {}, warn() {}, error() {} };
    startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, explicit: true, database: 'onhand', log, extraSettings: ${JSON.stringify(QUICK)} })
      .then((server) => console.log(JSON.stringify({ url: server.url, adopted: server.adopted })))
      .catch((error) => console.log(JSON.stringify({ error: error.name + ': ' + error.message })));
    setInterval(() => {}, 1000);
    process.on('SIGTERM', () => process.exit(0));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'], ...as });
  children.push(child);
  const line = await new Promise<string>((done, fail) => {
    child.stdout?.once('data', (chunk: Buffer) => done(chunk.toString()));
    child.once('exit', (code) => fail(new Error(`the other host ended with ${code}`)));
  });
  return { child, answer: JSON.parse(line) as { url: string; adopted: boolean } };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

describe('one host', () => {
  test('a second start finds what the first one stored', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('the database speaks UTF-8 with the built-in locale, over a private socket only', async () => {
    const { url, dataDir } = await start();
    const [row] = await query(
      url,
      `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider, datlocale AS locale,
              current_setting('listen_addresses') AS addresses, inet_server_addr() AS address
         FROM pg_database WHERE datname = current_database()`,
    );
    expect(row).toEqual({ encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8', addresses: '', address: null });
    expect((await stat(join(dataDir, 'run'))).mode & 0o777).toBe(0o700);
  });

  test('the password file can be read by the host alone, and a wrong password is refused', async () => {
    const { url, dataDir } = await start();
    const file = await stat(join(dataDir, 'password'));
    expect([file.mode & 0o777, file.uid]).toEqual([0o600, process.getuid?.()]);
    const password = (await readFile(join(dataDir, 'password'), 'utf8')).trim();
    await expect(query(url.replace(password, 'guessed'), 'SELECT 1')).rejects.toThrow(
      /password authentication failed/,
    );
    expect(messages.join('\n')).not.toContain(password);
  });

  test('stop ends the server and can be called again', async () => {
    const server = await start();
    const pid = await postmasterPid(server.dataDir);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    await until(async () => !(await processIdentity(pid)));
    await expect(stat(join(server.dataDir, 'host.lock'))).rejects.toThrow(/ENOENT/);
  });

  test('a creation that was cut short is made anew', async () => {
    const dataDir = join(root, 'data');
    await mkdir(join(dataDir, 'cluster.draft', 'base'), { recursive: true });
    await writeFile(join(dataDir, 'cluster.draft', 'PG_VERSION'), '18\n');
    await chmod(dataDir, 0o711);
    const { url } = await start();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await readdir(dataDir)).not.toContain('cluster.draft');
  });

  test('a data directory too deep for a socket path, with spaces and quotes, works', async () => {
    const dataDir = join(root, "it's a data folder", 'x'.repeat(60), 'y'.repeat(40));
    const { url } = await start({ dataDir });
    expect(url).not.toContain('yyyy');
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('a setting PostgreSQL refuses is named in the error', async () => {
    await (await start()).stop();
    const refused = start({ extraSettings: { ...QUICK, max_connections: 'many' } });
    await expect(refused).rejects.toThrow(EmbeddedPostgresError);
    await expect(refused).rejects.toThrow(/does not start[\s\S]*max_connections/);
  });

  test('a missing password file is refused with advice', async () => {
    await (await start()).stop();
    await rm(join(root, 'data', 'password'));
    await expect(start()).rejects.toThrow(/password is missing.*backup/);
  });

  test('a server that dies is brought back under the same host', async () => {
    const { url, dataDir } = await start();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid(dataDir);
    process.kill(pid, 'SIGKILL');
    await until(() => messages.some((message) => message.includes('owns its database again')));
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(await postmasterPid(dataDir)).not.toBe(pid);
  });
});

describe('two hosts', () => {
  test('the second host on a directory is refused with the pid of the first', async () => {
    await start();
    const refused = start();
    await expect(refused).rejects.toThrow(DataDirectoryInUseError);
    await expect(refused).rejects.toThrow(new RegExp(`process ${process.pid}.*DATABASE_URL`));
  });

  test('a host whose lock file was lost still owns its database', async () => {
    const { url, dataDir } = await start();
    await rm(join(dataDir, 'host.lock'));
    const refused = start();
    await expect(refused).rejects.toThrow(DataDirectoryInUseError);
    await expect(refused).rejects.toThrow(new RegExp(`process ${process.pid}\\b`));
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('of many hosts that start together exactly one gets the directory', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => start()));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map((outcome) => (outcome.reason as Error).name)).toEqual(
      Array(5).fill('DataDirectoryInUseError'),
    );
  });

  test('a lock file left by a dead process, or written by half, does not hold', async () => {
    const { dataDir, stop } = await start();
    await stop();
    await writeFile(
      join(dataDir, 'host.lock'),
      JSON.stringify({ pid: process.pid, startedAt: 'long ago', machine: 'here' }),
    );
    await (await start()).stop();
    await writeFile(join(dataDir, 'host.lock'), '{"pid":');
    expect((await start()).adopted).toBe(false);
  });
});

describe('after a crash', () => {
  test('PostgreSQL left running by a killed host is adopted', async () => {
    const dataDir = join(root, 'data');
    const { child, answer } = await otherHost(dataDir);
    await query(answer.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid(dataDir);
    await kill(child);
    const server = await start();
    expect(server.adopted).toBe(true);
    expect(await postmasterPid(dataDir)).toBe(pid);
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await server.stop();
    await until(async () => !(await processIdentity(pid)));
  });

  test('after host and PostgreSQL were both killed, the next start recovers', async () => {
    const dataDir = join(root, 'data');
    const { child, answer } = await otherHost(dataDir);
    await query(answer.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid(dataDir);
    await kill(child);
    process.kill(pid, 'SIGKILL');
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('a stale pid that now belongs to another process does not block the start', async () => {
    const { dataDir, stop } = await start();
    await stop();
    const stranger = spawn('sleep', ['600'], asRoot ? nobody : {});
    children.push(stranger);
    await writeFile(
      join(dataDir, 'cluster', 'postmaster.pid'),
      `${stranger.pid}\n${join(dataDir, 'cluster')}\n1\n5432\n`,
    );
    const server = await start();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(stranger.exitCode).toBeNull();
  });

  test('a host that exits without stopping takes its server with it', async () => {
    const dataDir = join(root, 'data');
    const { child } = await otherHost(dataDir);
    const pid = await postmasterPid(dataDir);
    child.kill('SIGTERM');
    await until(async () => !(await processIdentity(pid)));
  });
});

const whenRoot = asRoot ? describe : describe.skip;

whenRoot('as root', () => {
  test('PostgreSQL runs as nobody', async () => {
    const { dataDir } = await start();
    const status = await readFile(`/proc/${await postmasterPid(dataDir)}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\s+65534\s+65534/m);
    expect(status).toMatch(/^Groups:\s*$/m);
  });

  test('an ordinary user starts it too, and root uses the result as that user', async () => {
    const dataDir = join(root, 'home', 'data');
    await mkdir(join(root, 'home'));
    await chown(join(root, 'home'), daemon.uid, daemon.gid);
    const { child, answer } = await otherHost(dataDir, daemon);
    expect(answer.error).toBeUndefined();
    await kill(child);
    const server = await start({ dataDir });
    expect(server.adopted).toBe(true);
    await server.stop();
    await start({ dataDir });
    expect((await stat(`/proc/${await postmasterPid(dataDir)}`)).uid).toBe(daemon.uid);
  });

  test('a user without a name is told what to do', async () => {
    await mkdir(join(root, 'home'));
    await chown(join(root, 'home'), 4321, 4321);
    const { answer } = await otherHost(join(root, 'home', 'data'), { uid: 4321, gid: 4321 });
    expect(answer.error).toMatch(/Run Onhand as a user listed in \/etc\/passwd/);
  });

  test('a chosen directory that nobody cannot reach is refused with advice', async () => {
    await mkdir(join(root, 'private'), { mode: 0o700 });
    const refused = start({ dataDir: join(root, 'private', 'data') });
    await expect(refused).rejects.toThrow(DataDirectoryUnusableError);
    await expect(refused).rejects.toThrow(`chmod o+x ${join(root, 'private')}`);
  });

  test('a default directory that nobody cannot reach is replaced, with a warning, by the same one each time', async () => {
    await mkdir(join(root, 'private'), { mode: 0o700 });
    const options = {
      dataDir: join(root, 'private', 'data'),
      explicit: false,
      fallbackRoot: join(root, 'fallback'),
    };
    const first = await start(options);
    expect(first.dataDir).toMatch(/fallback\/[0-9a-f]{12}$/);
    expect(messages.join('\n')).toContain(first.dataDir);
    await first.stop();
    expect((await start(options)).dataDir).toBe(first.dataDir);
  });
});
