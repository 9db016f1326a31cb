import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { ChannelSecrets } from '../channel-api';
import { Config } from '../config/config';
import { sealingKeysOf } from './secret-keys';
import { SealingKeys, type SecretPlace } from './sealing';
import { type KeptSecret, SecretStore } from './secret-store';

/** What channels were given at run time, and with which keys it is sealed. */
@Injectable()
export class SecretsService implements OnModuleInit {
  private readonly log = new Logger('secrets');
  private keys = new SealingKeys([]);
  private store: SecretStore;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {
    this.store = new SecretStore(dataSource, this.keys);
  }

  async onModuleInit(): Promise<void> {
    this.keys = await sealingKeysOf(this.config);
    this.store = new SecretStore(this.dataSource, this.keys);
    const missing = new Set(
      (await this.store.list()).map(({ keyId }) => keyId).filter((id) => !this.keys.ids.includes(id)),
    );
    if (missing.size > 0)
      this.log.error(
        `ONHAND_SECRET_KEYS lacks the key ${[...missing].join(', ')}: channels whose secrets it sealed cannot sign in`,
      );
  }

  of(channel: string): ChannelSecrets {
    return this.store.of(channel);
  }

  /** Ids say which key is which, and nothing of the key. */
  async told(): Promise<{ keys: string[]; items: KeptSecret[] }> {
    return { keys: this.keys.ids, items: await this.store.list() };
  }

  async rotate(): Promise<{ key: string | null; resealed: number; unopened: SecretPlace[] }> {
    return { key: this.keys.firstId ?? null, ...(await this.store.rotate()) };
  }
}
