import type { CrashWorld } from './crash-world';

/** All of the rig's secrets begin with it, and nothing else does. */
const CANARY = 'canary-';
const CANARY_HEX = Buffer.from(CANARY).toString('hex');

/** I8: no secret is in a log, in a table or in Redis. */
export async function leakedSecrets(world: CrashWorld): Promise<string[]> {
  return [...inLogs(world), ...(await inTables(world)), ...(await inRedis(world))];
}

function inLogs(world: CrashWorld): string[] {
  return world.seats.flatMap((seat) => {
    const line = world
      .logOf(seat)
      .split('\n')
      .find((text) => text.includes(CANARY));
    return line === undefined ? [] : [`I8: a host (${seat.role}) logged a secret: ${line.slice(0, 500)}`];
  });
}

/** As a dump has them: each row as text, bytes as hex. */
async function inTables({ pool }: CrashWorld): Promise<string[]> {
  const tables = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  );
  const parts = tables.rows.map(
    ({ name }) =>
      `SELECT '${name}' AS name FROM "${name}" t WHERE t::text LIKE '%${CANARY}%' OR t::text LIKE '%${CANARY_HEX}%'`,
  );
  const { rows } = await pool.query<{ name: string }>(
    `SELECT DISTINCT name FROM (${parts.join(' UNION ALL ')}) f`,
  );
  return rows.map(({ name }) => `I8: a secret is in the table ${name}`);
}

async function inRedis({ redis }: CrashWorld): Promise<string[]> {
  if (!redis) return [];
  // Packed texts could not be searched.
  await redis.command('CONFIG', 'SET', 'rdbcompression', 'no');
  const keys = (await redis.command('KEYS', '*')) as string[];
  const found: string[] = [];
  for (const key of keys.slice(0, 200)) {
    const dump = String(await redis.command('DUMP', key));
    if (`${key} ${dump}`.includes(CANARY)) found.push(`I8: a secret is in Redis, under ${key}`);
  }
  return found;
}
