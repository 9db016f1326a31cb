import type { DataSource } from 'typeorm';
import { ChannelRequestError, type ChannelSecrets } from '../channel-api';
import type { Config } from '../config/config';
import { createDataSource } from '../database/data-source';
import { runningEmbeddedUrl } from '../database/embedded-postgres';
import { sealingKeysOf } from './secret-keys';
import { SecretStore } from './secret-store';

/** The same secrets without a host, for a look at its channels: the database is asked once something is needed. */
export class SecretsOnDemand {
  private opened: Promise<{ dataSource: DataSource; store: SecretStore }> | undefined;

  constructor(private readonly config: Config) {}

  of(channel: string): ChannelSecrets {
    const secrets = async () => (await (this.opened ??= this.open())).store.of(channel);
    return {
      get: async (name) => (await secrets()).get(name),
      compareAndSet: async (name, expected, value) => (await secrets()).compareAndSet(name, expected, value),
    };
  }

  async close(): Promise<void> {
    const opened = await this.opened?.catch(() => undefined);
    await opened?.dataSource.destroy();
  }

  private async open(): Promise<{ dataSource: DataSource; store: SecretStore }> {
    const { database, dataDir, dataDirExplicit } = this.config;
    const url = database.url ?? (await runningEmbeddedUrl({ dataDir, explicit: dataDirExplicit }));
    if (url === undefined)
      throw new ChannelRequestError(
        'what this channel was given is kept in the embedded PostgreSQL, which runs with a host; start one first',
      );
    try {
      const dataSource = await createDataSource({ url, poolSize: 1 }).initialize();
      return { dataSource, store: new SecretStore(dataSource, await sealingKeysOf(this.config)) };
    } catch (error) {
      throw new ChannelRequestError(
        `the database that keeps what this channel was given cannot be read: ${(error as Error).message}`,
      );
    }
  }
}
