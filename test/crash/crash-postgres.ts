import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Pool } from 'pg';
import { createDataSource } from '../../src/database/data-source';
import { installedBinaries, runProgram, usableBinaries } from '../../src/database/embedded-binaries';
import { giveTo, serverUser } from '../../src/database/embedded-user';
import { runMigrations } from '../../src/database/migrations';
import { freePort } from '../support/redis';
import { execute } from '../support/test-server';

const run = promisify(execFile);

export const POSTGRES_PASSWORD = 'canary-postgres-password';
const DATABASE = 'onhand';
const QUIET = { log: () => undefined, warn: console.warn, error: console.error };

/** Small, so that a cluster is copied within a blink and fits on a disk that is soon full; durable all the same. */
const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  'max_connections = 200',
  'shared_buffers = 32MB',
  'fsync = on',
  'synchronous_commit = on',
  'full_page_writes = on',
  'min_wal_size = 2MB',
  'max_wal_size = 16MB',
  'jit = off',
  'log_min_messages = warning',
];

/** A PostgreSQL server of the rig's own, with fsync on, which can be killed, frozen, copied and brought back. */
export class CrashPostgres {
  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly native: string,
  ) {}

  /** An empty, migrated cluster in `folder`, stopped: to be copied. */
  static async template(folder: string): Promise<CrashPostgres> {
    const user = await serverUser(folder);
    const native = await usableBinaries({
      native: installedBinaries(),
      copyInto: folder,
      user,
      log: QUIET,
    });
    const postgres = new CrashPostgres(folder, await freePort(), native);
    await mkdir(join(folder, 'logs'), { recursive: true });
    await giveTo(user, join(folder, 'logs'));
    await mkdir(postgres.cluster, { mode: 0o700 });
    await giveTo(user, postgres.cluster);
    await postgres.initialise();
    await postgres.start();
    await execute(postgres.urlOf('postgres'), `CREATE DATABASE ${DATABASE}`);
    const dataSource = await createDataSource({ url: postgres.url, poolSize: 1 }).initialize();
    await runMigrations(dataSource).finally(() => dataSource.destroy());
    await postgres.stop('fast');
    return postgres;
  }

  /** A copy in another folder, on another port; `cluster` may be a mount point that is there already. */
  async copyTo(folder: string): Promise<CrashPostgres> {
    await mkdir(join(folder, 'cluster'), { recursive: true });
    await mkdir(join(folder, 'logs'), { recursive: true });
    await chmod(folder, 0o711);
    const copy = new CrashPostgres(folder, await freePort(), this.native);
    await giveTo(await serverUser(this.cluster), join(folder, 'logs'));
    await copy.takeFrom(this.cluster);
    return copy;
  }

  get cluster(): string {
    return join(this.folder, 'cluster');
  }

  get url(): string {
    return this.urlOf(DATABASE);
  }

  /** As seen through a proxy on another port. */
  urlOf(database: string, port = this.port): string {
    return `postgres://onhand:${POSTGRES_PASSWORD}@127.0.0.1:${port}/${database}`;
  }

  urlThrough(port: number): string {
    return this.urlOf(DATABASE, port);
  }

  /** For the rig's own looks at the tables. Lost connections are replaced. */
  pool(): Pool {
    const pool = new Pool({ connectionString: this.url, max: 3, connectionTimeoutMillis: 5_000 });
    pool.on('error', () => undefined);
    return pool;
  }

  async start(): Promise<void> {
    // That of a killed server names a process which, where nobody collects it, is taken to be alive still.
    if (!(await this.isRunning())) await rm(join(this.cluster, 'postmaster.pid'), { force: true });
    const log = join(this.folder, 'logs', 'postgres.log');
    const args = ['start', '-w', '-t', '60', '-D', this.cluster, '-l', log, '-o', `-p ${this.port}`];
    const { code, output } = await this.program('pg_ctl', args);
    if (code !== 0) throw new Error(`PostgreSQL does not start: ${output}; see ${log}`);
  }

  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    await this.signal('SIGCONT');
    await this.program('pg_ctl', ['stop', '-m', mode, '-w', '-t', '30', '-D', this.cluster]);
  }

  async isRunning(): Promise<boolean> {
    return (await this.pids()).length > 0;
  }

  /** Of the server and all of its backends. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    for (const pid of await this.pids()) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has gone meanwhile.
      }
    }
  }

  /** All that run in the cluster's folder, the server's own process first; none of those that only wait to be collected. */
  async pids(): Promise<number[]> {
    const content = await readFile(join(this.cluster, 'postmaster.pid'), 'utf8').catch(() => '');
    const first = Number(content.split('\n')[0]);
    const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const folders = await Promise.all(all.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
    const ours = all.filter((_, index) => folders[index] === this.cluster);
    return ours.sort((a, b) => Number(b === first) - Number(a === first));
  }

  /** A copy of the files of a server that is stopped, in place of what is there. */
  async takeFrom(cluster: string): Promise<void> {
    await run('find', [this.cluster, '-mindepth', '1', '-delete']);
    await run('cp', ['-a', `${cluster}/.`, this.cluster]);
  }

  private async initialise(): Promise<void> {
    const user = await serverUser(this.cluster);
    const passwordFile = join(this.folder, 'logs', 'password');
    await writeFile(passwordFile, POSTGRES_PASSWORD, { mode: 0o600 });
    await giveTo(user, passwordFile);
    const args = ['-D', this.cluster, '--username', 'onhand', '--pwfile', passwordFile, '--wal-segsize=1'];
    const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
    const { code, output } = await this.program('initdb', [...args, '--auth=scram-sha-256', ...locale]);
    if (code !== 0) throw new Error(`initdb failed: ${output}`);
    const file = join(this.cluster, 'postgresql.conf');
    await writeFile(file, `${await readFile(file, 'utf8')}\n${SETTINGS.join('\n')}\n`);
  }

  private async program(program: 'initdb' | 'pg_ctl', args: string[]) {
    return runProgram(this.native, program, args, {
      user: await serverUser(this.cluster),
      cwd: join(this.folder, 'logs'),
    });
  }
}
