import type { Pool, PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { ChannelRequestError, type ChannelSecrets, SecretsUnavailableError } from '../channel-api';
import { inTransaction, poolOf } from '../database/pool';
import type { SealedSecret, SealingKeys, SecretPlace } from './sealing';

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const LONGEST_BYTES = 65_536;
const ROTATED_AT_ONCE = 100;

/** What is kept for a channel, without what it says. */
export interface KeptSecret extends SecretPlace {
  keyId: string;
  changedAt: Date;
}

/** Secrets in PostgreSQL, for all hosts; their keys are not there. */
export class SecretStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly keys: SealingKeys,
  ) {}

  of(channel: string): ChannelSecrets {
    return {
      get: (name) => {
        const place = { channel, name: checkedName(name) };
        return reached(() => this.read(poolOf(this.dataSource), place));
      },
      compareAndSet: (name, expected, value) => {
        const place = { channel, name: checkedName(name) };
        const sealed = this.seal(value, place);
        return reached(() =>
          expected === undefined ? this.insert(place, sealed) : this.replace(place, expected, sealed),
        );
      },
    };
  }

  async list(): Promise<KeptSecret[]> {
    const { rows } = await poolOf(this.dataSource).query<KeptSecret>(
      `SELECT channel, name, key_id AS "keyId", changed_at AS "changedAt" FROM channel_secrets
        ORDER BY channel, name`,
    );
    return rows;
  }

  /** Seals with the first key what another sealed; tells how many. What no key opens is left as it is, and told of. */
  async rotate(): Promise<{ resealed: number; unopened: SecretPlace[] }> {
    const result = { resealed: 0, unopened: [] as SecretPlace[] };
    const stale = (await this.list()).filter(({ keyId }) => keyId !== this.keys.firstId);
    for (let first = 0; first < stale.length; first += ROTATED_AT_ONCE)
      await inTransaction(this.dataSource, async (client) => {
        for (const { channel, name } of stale.slice(first, first + ROTATED_AT_ONCE)) {
          const place = { channel, name };
          if (await this.reseal(client, place)) result.resealed++;
          else result.unopened.push(place);
        }
      });
    return result;
  }

  private async reseal(client: PoolClient, place: SecretPlace): Promise<boolean> {
    const row = await this.row(client, place, 'FOR UPDATE');
    const value = row && this.keys.open(row, place);
    if (value === undefined) return false;
    await write(client, place, this.seal(value, place));
    return true;
  }

  private async read(client: Pool | PoolClient, place: SecretPlace, lock = ''): Promise<string | undefined> {
    const row = await this.row(client, place, lock);
    if (!row) return undefined;
    const value = this.keys.open(row, place);
    if (value !== undefined) return value;
    throw new ChannelRequestError(
      this.keys.ids.includes(row.keyId)
        ? `what is kept as ${place.name} was altered in the database, or copied from another channel; it has to be given anew`
        : `what is kept as ${place.name} was sealed with another key; add the key ${row.keyId} to ONHAND_SECRET_KEYS on every host`,
    );
  }

  private async row(
    client: Pool | PoolClient,
    { channel, name }: SecretPlace,
    lock: string,
  ): Promise<SealedSecret | undefined> {
    const { rows } = await client.query<SealedSecret>(
      `SELECT key_id AS "keyId", sealed FROM channel_secrets WHERE channel = $1 AND name = $2 ${lock}`,
      [channel, name],
    );
    return rows[0];
  }

  private seal(value: string, place: SecretPlace): SealedSecret {
    if (Buffer.byteLength(value) > LONGEST_BYTES)
      throw new ChannelRequestError(`${place.name} is longer than ${LONGEST_BYTES} bytes`);
    const sealed = this.keys.seal(value, place);
    if (sealed) return sealed;
    throw new ChannelRequestError(
      'nothing secret can be kept without a key: set ONHAND_SECRET_KEYS on every host to what "openssl rand -base64 32" prints',
    );
  }

  private async insert({ channel, name }: SecretPlace, { keyId, sealed }: SealedSecret): Promise<boolean> {
    const { rowCount } = await poolOf(this.dataSource).query(
      `INSERT INTO channel_secrets (channel, name, key_id, sealed) VALUES ($1, $2, $3, $4)
       ON CONFLICT (channel, name) DO NOTHING`,
      [channel, name, keyId, sealed],
    );
    return rowCount === 1;
  }

  private replace(place: SecretPlace, expected: string, sealed: SealedSecret): Promise<boolean> {
    return inTransaction(this.dataSource, async (client) => {
      if ((await this.read(client, place, 'FOR UPDATE')) !== expected) return false;
      await write(client, place, sealed);
      return true;
    });
  }
}

async function write(client: PoolClient, place: SecretPlace, { keyId, sealed }: SealedSecret): Promise<void> {
  await client.query(
    `UPDATE channel_secrets SET key_id = $3, sealed = $4, changed_at = clock_timestamp()
      WHERE channel = $1 AND name = $2`,
    [place.channel, place.name, keyId, sealed],
  );
}

function checkedName(name: string): string {
  if (NAME.test(name)) return name;
  throw new ChannelRequestError('a secret’s name is a word of small letters, digits and dashes');
}

/** A plugin can tell a database that is away from a key that is missing. */
async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ChannelRequestError) throw error;
    throw new SecretsUnavailableError(
      `the database that keeps the channel's secrets cannot be read: ${(error as Error).message}`,
    );
  }
}
