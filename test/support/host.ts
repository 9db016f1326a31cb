import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DataSource } from 'typeorm';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load-config';
import { startHost } from '../../src/main';
import { createTestDatabase, type TestDatabase } from './database';
import { HostClient } from './host-client';
import { temporaryFolder } from './test-server';

const ROOT = resolve(__dirname, '../..');

/** The plugin as a path: under jest its source, in a built host its package. */
export const GENERIC_REST_SOURCE = join(ROOT, 'plugins/generic-rest/generic-rest.plugin.ts');
export const GENERIC_REST_PACKAGE = '@onhand/generic-rest';

export const ADMIN_KEY = 'canary-admin-key-of-the-tests';

/** One entry of `channels` in onhand.yaml; `listings` is the CSV's text, which is written to a file. */
export interface ChannelSettings {
  name: string;
  plugin: string;
  options?: Record<string, unknown>;
  listings?: string;
  [setting: string]: unknown;
}

/** Settings of onhand.yaml. The database, the port and the admin key are seen to. */
export interface HostSettings {
  channels?: ChannelSettings[];
  [setting: string]: unknown;
}

/** Sweeps and retries as often as can be, so that tests wait as little as can be. */
const IMPATIENT = {
  intake: { sweepEverySeconds: 1 },
  push: { pollEverySeconds: 1, leaseSeconds: 5, maxAttempts: 100 },
  breaker: { openSeconds: 1, maxOpenSeconds: 1 },
  // A test is one caller at one address, and does in a second what takes others a day.
  access: { requestsPerSecond: 100_000, failuresPerMinute: 0 },
};

/** The simulators' address, which a host does not let plugins reach unless it is told. */
const SIMULATORS = { outbound: { allow: ['127.0.0.1'] } };

export interface TestHost {
  readonly url: string;
  /** Calls it with the admin key. */
  readonly api: HostClient;
  readonly app: NestExpressApplication;
  readonly database: TestDatabase;
  /** A connection pool of the test's own to the host's database. */
  readonly dataSource: DataSource;
  /** Stops the host, and drops the database unless the caller brought it. */
  close(): Promise<void>;
}

/** Starts the application in this process, on a free port, on a database of its own unless one is given. */
export async function startTestHost(
  settings: HostSettings = {},
  given?: { database?: TestDatabase; logLevel?: string; env?: Record<string, string> },
): Promise<TestHost> {
  const database = given?.database ?? (await createTestDatabase());
  const folder = await temporaryFolder();
  const file = await writeSettings(folder, settings);
  const env = { ...environment(database.url, given?.logLevel ?? 'silent'), ...given?.env };
  const app = await startHost(loadConfig({ file, env, cwd: folder }));
  const url = await app.getUrl();
  return {
    url,
    api: new HostClient(url, ADMIN_KEY),
    app,
    database,
    dataSource: await database.dataSource(),
    async close() {
      await app.close();
      if (!given?.database) await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A built host in a process of its own, which can be killed. */
export interface SpawnedHost {
  readonly url: string;
  readonly api: HostClient;
  readonly pid: number;
  /** All that it has written to standard output and standard error so far. */
  output(): string;
  /** Resolves once it has exited, with its exit code or the signal's name. Sent once only. */
  kill(signal: NodeJS.Signals): Promise<number | string>;
  /** SIGSTOP lets it stand still until SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  readonly exited: Promise<number | string>;
}

export interface SpawnOptions {
  logLevel?: string;
  env?: Record<string, string>;
}

/** A folder with onhand.yaml in which hosts are spawned, one after another or beside one another. */
export class HostFolder {
  private readonly children: ChildProcess[] = [];

  private constructor(
    readonly folder: string,
    private readonly databaseUrl: string,
  ) {}

  static async create(settings: HostSettings, databaseUrl: string): Promise<HostFolder> {
    requireBuild();
    const folder = await temporaryFolder();
    await writeSettings(folder, settings);
    return new HostFolder(folder, databaseUrl);
  }

  /** Writes a file, such as a plugin that onhand.yaml names by a relative path. */
  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, name)), { recursive: true });
    await writeFile(join(this.folder, name), text);
  }

  /**
   * Rejects with its output when it ends instead of listening. It is known to listen by its log, so the
   * level must be `info` or below. `env` comes on top of what it needs.
   */
  async start({ logLevel = 'info', env = {} }: SpawnOptions = {}): Promise<SpawnedHost> {
    const child = spawn(process.execPath, [join(ROOT, 'dist/src/main.js')], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, ...environment(this.databaseUrl, logLevel), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.children.push(child);
    return listening(child);
  }

  /** Kills what still runs, and removes the folder. */
  async remove(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await Promise.all(this.children.map(ended));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Waits for the line that says where it listens. Rejects with the output when it exits instead. */
function listening(child: ChildProcess): Promise<SpawnedHost> {
  let output = '';
  const exited = ended(child);
  return new Promise((started, failed) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const url = /listens on (http:[^\s;"]+)/.exec(output)?.[1];
      if (url === undefined) return;
      started({
        url,
        api: new HostClient(url, ADMIN_KEY),
        pid: child.pid!,
        output: () => output,
        exited,
        kill(signal) {
          child.kill(signal);
          return exited;
        },
        signal: (signal) => void child.kill(signal),
      });
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    void exited.then((code) =>
      failed(new Error(`the host ended with ${code} instead of listening:\n${output}`)),
    );
  });
}

/** Its exit code, or the name of the signal that ended it. */
function ended(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    const already = child.exitCode ?? child.signalCode;
    if (already !== null) resolve(already);
    else child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

function requireBuild(): void {
  for (const built of ['dist/src/main.js', 'plugins/generic-rest/dist/generic-rest.plugin.js']) {
    if (!existsSync(join(ROOT, built))) throw new Error(`${built} is missing; run \`npm run build\` first`);
  }
}

function environment(databaseUrl: string, logLevel: string): Record<string, string> {
  return { DATABASE_URL: databaseUrl, ONHAND_ADMIN_KEY: ADMIN_KEY, LOG_LEVEL: logLevel, PORT: '0' };
}

async function writeSettings(folder: string, settings: HostSettings): Promise<string> {
  await mkdir(folder, { recursive: true });
  const channels = await Promise.all(
    (settings.channels ?? []).map(async ({ listings, ...channel }) => {
      if (listings === undefined) return channel;
      const name = `${channel.name}-${randomUUID()}.csv`;
      await writeFile(join(folder, name), listings);
      return { ...channel, listings: `./${name}` };
    }),
  );
  const file = join(folder, 'onhand.yaml');
  await writeFile(file, stringify({ ...IMPATIENT, ...SIMULATORS, ...settings, channels }));
  return file;
}
