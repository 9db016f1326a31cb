import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, IsNull } from 'typeorm';
import { Config } from '../config/config';
import { ListenerService } from '../database/listener.service';
import { ApiKeyEntity } from './api-key.entity';
import type { Scope } from './scopes';

/** Who a request comes from. */
export interface Caller {
  id: string;
  name: string;
  scopes: ReadonlySet<Scope>;
  /** The address that it last called from. */
  from?: string;
}

/**
 * API keys, checked from memory. Keys carry 256 random bits, so their plain sha256 is looked up; every
 * change is told to the other hosts, which read all keys again.
 */
@Injectable()
export class ApiKeysService implements OnApplicationBootstrap {
  private callers = new Map<string, Caller>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listener: ListenerService,
    private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const reload = () => this.load();
    await this.listener.listen('onhand_api_keys', { heard: reload, missed: reload });
    await this.load();
    if (!this.config.adminKey) await this.makeFirstKey();
  }

  callerOf(key: string): Caller | undefined {
    return this.callerOfHash(hashOf(key));
  }

  callerOfHash(hash: Buffer): Caller | undefined {
    return this.callers.get(hash.toString('hex'));
  }

  /** The key is in the answer and nowhere else. */
  async create(name: string, scopes: readonly Scope[]): Promise<{ id: string; key: string }> {
    const key = `onhand_${randomBytes(32).toString('base64url')}`;
    const id = randomUUID();
    await this.dataSource.query('INSERT INTO api_keys (id, name, hash, scopes) VALUES ($1, $2, $3, $4)', [
      id,
      name,
      hashOf(key),
      scopes,
    ]);
    await this.changed();
    return { id, key };
  }

  list(): Promise<ApiKeyEntity[]> {
    return this.dataSource.getRepository(ApiKeyEntity).find({ order: { createdAt: 'ASC' } });
  }

  /** Answers false when there is no such key. */
  async revoke(id: string): Promise<boolean> {
    const [, count] = await this.dataSource.query(
      'UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = $1',
      [id],
    );
    await this.changed();
    return count > 0;
  }

  private async changed(): Promise<void> {
    await this.dataSource.query('NOTIFY onhand_api_keys');
    await this.load();
  }

  private async load(): Promise<void> {
    const keys = await this.dataSource.getRepository(ApiKeyEntity).findBy({ revokedAt: IsNull() });
    const callers = new Map<string, Caller>(
      keys.map(({ id, name, hash, scopes }) => [hash.toString('hex'), { id, name, scopes: new Set(scopes) }]),
    );
    const { adminKey } = this.config;
    if (adminKey) {
      callers.set(hashOf(adminKey).toString('hex'), {
        id: 'environment',
        name: 'ONHAND_ADMIN_KEY',
        scopes: new Set(['admin']),
      });
    }
    this.callers = callers;
  }

  /** Shown once, on the terminal and not in the log, which may be kept and sent elsewhere. */
  private async makeFirstKey(): Promise<void> {
    if (await this.dataSource.getRepository(ApiKeyEntity).existsBy({})) return;
    const { key } = await this.create('first admin key', ['admin']);
    process.stderr.write(
      `\n  Admin API key (shown this once; set ONHAND_ADMIN_KEY to choose your own):\n\n    ${key}\n\n`,
    );
  }
}

/** Of a secret with 256 random bits: as good as the secret is, and no use to who reads it. */
export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
