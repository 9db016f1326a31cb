import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { urlFor, type DatabaseLog } from './connection-url';
import { EmbeddedPostgresError } from './database.errors';
import { runProgram, type ProgramResult } from './embedded-binaries';
import { logTail, ownFolder, writePrivate, type Layout } from './embedded-layout';
import type { ServerUser } from './embedded-user';
import { processCommand, processIdentity } from './process-identity';

const ROLE = 'onhand';
/** Recovery after a crash replays at most `max_wal_size`, so a start that takes longer is stuck. */
const START_TIMEOUT_SECONDS = 120;
const STOP_TIMEOUT_SECONDS = 60;
const POLL_MS = 50;
const ON_WINDOWS = process.platform === 'win32';

/** PostgreSQL settings by name, as `postgresql.conf` spells them. */
export type ServerSettings = Record<string, string | number>;

const SETTINGS: ServerSettings = {
  fsync: 'on',
  synchronous_commit: 'on',
  max_connections: 100,
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  jit: 'off',
  random_page_cost: 1.1,
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // One file per weekday, overwritten a week later, so that logs never grow without end.
  logging_collector: 'on',
  log_filename: 'postgresql-%a.log',
  log_rotation_age: '1d',
  log_rotation_size: 0,
  log_truncate_on_rotation: 'on',
};

type ServerOptions = {
  layout: Layout;
  native: string;
  user: ServerUser | undefined;
  password: string;
  extraSettings: ServerSettings;
  log: DatabaseLog;
};

/** One cluster in one data directory: creates, starts, finds and stops its PostgreSQL. */
export class EmbeddedServer {
  /** The server's process while it runs under this host. */
  pid: number | undefined;
  private port = 5432;

  constructor(private readonly options: ServerOptions) {}

  urlOf(database: string): string {
    const host = ON_WINDOWS ? '127.0.0.1' : this.options.layout.run;
    return urlFor({ host, port: this.port, user: ROLE, password: this.options.password, database });
  }

  /**
   * Creates the cluster unless it exists. It is built under another name and renamed when complete,
   * so one that was cut short is never mistaken for a cluster; it is thrown away and made anew.
   */
  async createCluster(): Promise<void> {
    const { layout, user, password } = this.options;
    if (await readFile(join(layout.cluster, 'PG_VERSION')).catch(() => undefined)) return;
    this.options.log.log(`Creating a PostgreSQL database in ${layout.dataDir}.`);
    const draft = join(layout.dataDir, 'cluster.draft');
    const passwordFile = join(layout.dataDir, 'initdb.password');
    await rm(draft, { recursive: true, force: true });
    await ownFolder(draft, user);
    await writePrivate(passwordFile, password, user);
    try {
      const result = await this.run('initdb', this.initdbArguments(draft, passwordFile));
      if (result.code !== 0) throw creationFailed(result.output);
    } finally {
      await rm(passwordFile, { force: true });
    }
    await append(join(draft, 'postgresql.conf'), "\ninclude 'onhand.conf'\n");
    await rename(draft, layout.cluster);
    await syncFolder(layout.dataDir);
  }

  private initdbArguments(draft: string, passwordFile: string): string[] {
    const args = [
      '-D',
      draft,
      '--username',
      ROLE,
      '--pwfile',
      passwordFile,
      '--auth',
      'scram-sha-256',
      '--no-instructions',
    ];
    // Without an encoding and locale of its own initdb takes the shell's, and SQL_ASCII where LANG is unset.
    args.push('--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C');
    if (this.options.extraSettings.fsync === 'off') args.push('--no-sync');
    return args;
  }

  /** Starts PostgreSQL, or adopts one that an earlier host left running. Returns true when it adopted. */
  async ensureRunning(): Promise<boolean> {
    const adopted = await this.adopt();
    if (!adopted) await this.start();
    this.pid = await this.postmasterPid();
    return adopted;
  }

  private async start(): Promise<void> {
    await this.removeStalePidFiles();
    if (ON_WINDOWS) this.port = await freePort();
    await this.writeSettings();
    const { layout } = this.options;
    const startLog = join(layout.logs, 'start.log');
    await rm(startLog, { force: true });
    const args = ['start', '-w', '-t', String(START_TIMEOUT_SECONDS), '-D', layout.cluster, '-l', startLog];
    const result = await this.run('pg_ctl', args);
    if (result.code === 0) return;
    const tail = await logTail([...(await this.serverLogs()), startLog]);
    throw new EmbeddedPostgresError(
      `PostgreSQL in ${layout.dataDir} does not start. Its log ends with:\n${tail || result.output}`,
    );
  }

  /** Asks for a fast stop and waits for it: open transactions are rolled back, committed ones kept. */
  async stop(): Promise<void> {
    if ((await this.postmasterPid()) === undefined) return;
    const args = [
      'stop',
      '-m',
      'fast',
      '-w',
      '-t',
      String(STOP_TIMEOUT_SECONDS),
      '-D',
      this.options.layout.cluster,
    ];
    const result = await this.run('pg_ctl', args);
    if (result.code !== 0 && (await this.postmasterPid()) !== undefined) {
      throw new EmbeddedPostgresError(
        `PostgreSQL in ${this.options.layout.dataDir} did not stop:\n${result.output}`,
      );
    }
    this.pid = undefined;
  }

  /** The pid of the live server of this cluster. */
  async postmasterPid(): Promise<number | undefined> {
    const pid = Number((await this.pidFile())[0]);
    if (!pid || !(await processIdentity(pid))) return undefined;
    // After a restart of the machine or container the pid can belong to anything else.
    const command = await processCommand(pid);
    return ON_WINDOWS || command.includes(this.options.layout.cluster) ? pid : undefined;
  }

  /** Waits until a running server answers; false when there is none. */
  async adopt(): Promise<boolean> {
    const deadline = Date.now() + START_TIMEOUT_SECONDS * 1000;
    if (ON_WINDOWS) {
      // The port differs from start to start there, and without our server it can be anybody's.
      if ((await this.postmasterPid()) === undefined) return false;
      this.port = Number((await this.pidFile())[3]) || this.port;
    }
    while (Date.now() < deadline) {
      const state = await this.probe();
      if (state === 'answers') return true;
      // A socket can be answered by a server of another container on the same volume, whose pid is not visible.
      if (state === 'silent' && (await this.postmasterPid()) === undefined) return false;
      await sleep(POLL_MS);
    }
    throw new EmbeddedPostgresError(
      `A PostgreSQL process runs in ${this.options.layout.dataDir} but does not answer. Stop it, then start again.`,
    );
  }

  private async probe(): Promise<'answers' | 'busy' | 'silent'> {
    const client = new Client({ connectionString: this.urlOf('postgres'), connectionTimeoutMillis: 5000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return 'answers';
    } catch (error) {
      const code = (error as { code?: string }).code ?? '';
      if (code === '28P01') {
        throw new EmbeddedPostgresError(
          `The password file in ${this.options.layout.dataDir} is not that of the running database.`,
        );
      }
      // 57P03: starting up, recovering or shutting down; 53300: every connection is taken.
      return code === '57P03' || code === '53300' ? 'busy' : 'silent';
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /**
   * PostgreSQL will not start while its pid file, or that of its socket, names a live process of the same
   * user. After a crash that pid is often another process's, or a zombie nobody collects, as in a container.
   */
  private async removeStalePidFiles(): Promise<void> {
    const [pid] = await this.pidFile();
    if (!pid || (await this.postmasterPid()) !== undefined) return;
    const { layout, log } = this.options;
    log.warn('PostgreSQL was not stopped properly last time; it recovers from its log now.');
    await rm(join(layout.cluster, 'postmaster.pid'), { force: true });
    await rm(join(layout.run, `.s.PGSQL.${this.port}.lock`), { force: true });
  }

  private async writeSettings(): Promise<void> {
    const { layout, user, extraSettings } = this.options;
    const connection: ServerSettings = ON_WINDOWS
      ? { listen_addresses: '127.0.0.1', port: this.port }
      : {
          listen_addresses: '',
          port: this.port,
          unix_socket_directories: layout.run,
          unix_socket_permissions: '0700',
        };
    const settings = { ...SETTINGS, log_directory: layout.logs, ...connection, ...extraSettings };
    const lines = Object.entries(settings).map(
      ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`,
    );
    const text = `# Written by Onhand at every start. Change settings with ALTER SYSTEM instead.\n${lines.join('\n')}\n`;
    await writePrivate(join(layout.cluster, 'onhand.conf'), text, user);
  }

  private async serverLogs(): Promise<string[]> {
    const today = `postgresql-${new Date().toUTCString().slice(0, 3)}.log`;
    const names = await readdir(this.options.layout.logs).catch(() => []);
    return names.filter((name) => name === today).map((name) => join(this.options.layout.logs, name));
  }

  /** Lines of postmaster.pid: pid, data directory, start time, port, socket folder, address, shared memory, state. */
  private async pidFile(): Promise<string[]> {
    const content = await readFile(join(this.options.layout.cluster, 'postmaster.pid'), 'utf8').catch(
      () => '',
    );
    return content.split('\n').map((line) => line.trim());
  }

  private async run(program: 'initdb' | 'pg_ctl', args: string[]): Promise<ProgramResult> {
    const { native, user, layout } = this.options;
    return runProgram(native, program, args, { user, cwd: layout.dataDir });
  }
}

function creationFailed(output: string): EmbeddedPostgresError {
  // Containers are often given a bare user id; initdb looks its name up and stops when there is none.
  const nameless = output.includes('could not look up effective user ID');
  const advice = nameless
    ? '\nRun Onhand as a user listed in /etc/passwd, or set DATABASE_URL to a PostgreSQL server.'
    : '';
  return new EmbeddedPostgresError(`Could not create the database:\n${output}${advice}`);
}

async function freePort(): Promise<number> {
  return new Promise((found, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function append(path: string, text: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    await file.appendFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last through a power cut. Windows cannot open folders, and does not need to. */
async function syncFolder(folder: string): Promise<void> {
  if (ON_WINDOWS) return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
