import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { Config } from '../config/config';
import { maskConnection } from '../config/redaction';
import { describeUrl } from '../database/connection-url';
import { waitForDatabase } from '../database/data-source';
import { loadMigrations, migrationsDirectory } from '../database/migration-files';
import { fault, type Finding, good, warning } from './finding';

/** What a PostgreSQL server says of itself. */
export interface DatabaseFacts {
  /** Such as 180004. */
  version: number;
  encoding: string;
  fsync: string;
  fullPageWrites: string;
  synchronousCommit: string;
  readOnly: boolean;
  /** Connections that ordinary users may have. */
  connections: number;
  mayCreate: boolean;
  /** Names of migrations that were run; null for a database that was never used. */
  migrations: string[] | null;
  /** The database's clock less this host's, in ms. */
  aheadMs: number;
  /** Of the fastest of several questions. */
  answerMs: number;
}

export interface RedisFacts {
  version: string;
  /** What is thrown away when memory is full. */
  policy: string;
  answerMs: number;
}

const OLDEST_POSTGRES = 14;
const OLDEST_REDIS = 5;
/** Beyond it an hour's worth of expiries and polls is off by more than a person expects. */
const SKEW_MS = 2_000;
const SLOW_DATABASE_MS = 20;
const SLOW_REDIS_MS = 20;
const QUESTIONS = 5;

export async function examineDatabase({ database: { url, poolSize } }: Config): Promise<Finding[]> {
  if (url === null)
    return [good('database', 'PostgreSQL is embedded: a host starts its own, in its data folder')];
  try {
    await waitForDatabase(url, { log: quiet, warn: quiet, error: quiet }, 0);
    return judgeDatabase(await readDatabase(url), { target: describeUrl(url), poolSize, known: known() });
  } catch (error) {
    return [fault('database', (error as Error).message, null)];
  }
}

function known(): string[] {
  return loadMigrations(migrationsDirectory()).map((migration) => new migration().name!);
}

async function readDatabase(url: string): Promise<DatabaseFacts> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 10_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<
      Omit<DatabaseFacts, 'migrations' | 'aheadMs' | 'answerMs'> & { used: boolean }
    >(FACTS);
    const { used, ...facts } = rows[0]!;
    const run = used ? await client.query<{ name: string }>('SELECT name FROM migrations') : undefined;
    const clock = await fastest(async () => {
      const told = await client.query<{ now: number }>(
        'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now',
      );
      return told.rows[0]!.now;
    });
    return { ...facts, migrations: run?.rows.map(({ name }) => name) ?? null, ...clock };
  } finally {
    await client.end();
  }
}

/** A clock is read in the middle of its question, and best by the fastest one. */
async function fastest(ask: () => Promise<number>): Promise<{ aheadMs: number; answerMs: number }> {
  let best = { aheadMs: 0, answerMs: Infinity };
  for (let question = 0; question < QUESTIONS; question++) {
    const asked = performance.now();
    const askedAtMs = Date.now();
    const toldMs = await ask();
    const answerMs = performance.now() - asked;
    if (answerMs < best.answerMs) best = { aheadMs: toldMs - (askedAtMs + answerMs / 2), answerMs };
  }
  return best;
}

interface Setting {
  target: string;
  poolSize: number;
  /** Names of the migrations that this host has. */
  known: readonly string[];
}

/** Pure: what is to be said of a database that is like this. */
export function judgeDatabase(facts: DatabaseFacts, { target, poolSize, known }: Setting): Finding[] {
  const subject = 'database';
  const major = Math.floor(facts.version / 10_000);
  const say = [
    good(subject, `${target} takes connections, PostgreSQL ${major}, ${facts.answerMs.toFixed(1)} ms away`),
  ];
  if (major < OLDEST_POSTGRES)
    say.push(fault(subject, `PostgreSQL ${major} is too old`, `Use PostgreSQL ${OLDEST_POSTGRES} or newer.`));
  if (facts.encoding !== 'UTF8')
    say.push(
      fault(
        subject,
        `its encoding is ${facts.encoding}`,
        "Make a database with ENCODING 'UTF8' and move to it.",
      ),
    );
  if (facts.readOnly)
    say.push(
      fault(
        subject,
        'it takes no writes: it is a standby, or read-only',
        'Point DATABASE_URL at the primary.',
      ),
    );
  for (const [name, value] of [
    ['fsync', facts.fsync],
    ['full_page_writes', facts.fullPageWrites],
    ['synchronous_commit', facts.synchronousCommit],
  ] as const)
    if (value === 'off')
      say.push(
        warning(subject, `${name} is off: ${LOST}`, `Set ${name} = on in postgresql.conf and reload.`),
      );
  if (facts.connections < poolSize + OTHER_CONNECTIONS)
    say.push(
      warning(
        subject,
        `it allows ${facts.connections} connections, and one host may open ${poolSize + OTHER_CONNECTIONS}`,
        'Raise max_connections, or lower database.poolSize; count every host.',
      ),
    );
  if (facts.answerMs > SLOW_DATABASE_MS)
    say.push(
      warning(
        subject,
        `it answers after ${facts.answerMs.toFixed(0)} ms, and every commit waits for that`,
        'Run hosts near the database.',
      ),
    );
  return [...say, ...judgeMigrations(facts, known), judgeSkew('the database', facts.aheadMs)];
}

/** Beside the pool: listeners, the leader's lock and the pushing's own. */
const OTHER_CONNECTIONS = 14;
const LOST = 'a power cut can lose or damage what was answered as done';

function judgeMigrations({ migrations, mayCreate }: DatabaseFacts, known: readonly string[]): Finding[] {
  const done = new Set(migrations ?? []);
  const pending = known.filter((name) => !done.has(name));
  const unknown = (migrations ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    return [
      fault(
        'migrations',
        `the database is of a newer Onhand: it has ${unknown.length} migrations that this one does not know, such as ${unknown[0]}`,
        'Install the newer version here, or restore the backup made before the upgrade.',
      ),
    ];
  if (pending.length === 0) return [good('migrations', `all ${known.length} are done`)];
  if (!mayCreate)
    return [
      fault(
        'migrations',
        `${pending.length} are pending, and the user may make no tables`,
        'GRANT CREATE ON SCHEMA public to the user of DATABASE_URL, or let its owner start the first host.',
      ),
    ];
  const what = migrations === null ? 'the database is empty' : `${pending.length} are pending`;
  return [
    good('migrations', `${what}: the next host that starts runs them; back up first where there is data`),
  ];
}

export function judgeSkew(whose: string, aheadMs: number): Finding {
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1);
  if (Math.abs(aheadMs) <= SKEW_MS) return good('clock', `within ${seconds} s of ${whose}'s`);
  return warning(
    'clock',
    `${whose}'s clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this host's; holds, polls and signatures go by them`,
    'Keep both in step with NTP: `timedatectl set-ntp true`, or chrony.',
  );
}

export async function examineRedis({ redis: { url } }: Config): Promise<Finding[]> {
  if (url === null) return [good('redis', 'not used: jobs stay in the process, or go over PostgreSQL')];
  const client = new Redis(url, { lazyConnect: true, connectTimeout: 3_000, retryStrategy: () => null });
  let lost = '';
  client.on('error', ({ message, code }: NodeJS.ErrnoException) => (lost = message || code || ''));
  try {
    await client.connect();
    const info = await client.info();
    const { answerMs } = await fastest(async () => {
      await client.ping();
      return Date.now();
    });
    return judgeRedis(
      { version: of(info, 'redis_version'), policy: of(info, 'maxmemory_policy'), answerMs },
      url,
    );
  } catch (error) {
    const message = `${maskConnection(url)} does not answer: ${lost || (error as Error).message}`;
    return [
      warning(
        'redis',
        `${message}; hosts run without it, and wake each other over PostgreSQL`,
        'Start it, or correct redis.url (REDIS_URL).',
      ),
    ];
  } finally {
    client.disconnect();
  }
}

function of(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}

/** Pure. Eviction would drop Bull's own keys from under it. */
export function judgeRedis({ version, policy, answerMs }: RedisFacts, url: string): Finding[] {
  const say = [
    good('redis', `${maskConnection(url)} answers, Redis ${version}, ${answerMs.toFixed(1)} ms away`),
  ];
  if (Number.parseInt(version, 10) < OLDEST_REDIS)
    say.push(warning('redis', `Redis ${version} is old`, `Use Redis ${OLDEST_REDIS} or newer, or Valkey.`));
  if (policy !== '' && policy !== 'noeviction')
    say.push(
      warning(
        'redis',
        `maxmemory-policy is ${policy}: a full Redis drops keys of queues`,
        'CONFIG SET maxmemory-policy noeviction, and write it into redis.conf.',
      ),
    );
  if (answerMs > SLOW_REDIS_MS)
    say.push(warning('redis', `it answers after ${answerMs.toFixed(0)} ms`, 'Run it near the hosts.'));
  return say;
}

/** Findings say it all. */
const quiet = () => undefined;

const FACTS = `
  SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
         current_setting('fsync') AS fsync, current_setting('full_page_writes') AS "fullPageWrites",
         current_setting('synchronous_commit') AS "synchronousCommit",
         pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "readOnly",
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections,
         has_schema_privilege(current_schema(), 'CREATE') AS "mayCreate",
         to_regclass('migrations') IS NOT NULL AS used`;
