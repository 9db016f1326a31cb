import {
  Inject,
  Injectable,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { describeUrl } from './connection-url';
import { createDataSource, dataSourceOptions, waitForDatabase, type Entities } from './data-source';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres';
import { ListenerService } from './listener.service';
import { runMigrations } from './migrations';

const DATABASE = 'onhand';
const OPTIONS = Symbol('database options');

export type DatabaseModuleOptions = {
  /** A PostgreSQL server to use. Without it, PostgreSQL runs in `dataDir`. */
  url?: string;
  dataDir: string;
  /** True when somebody chose `dataDir`, so that no other directory may be used in its place. */
  explicitDataDir: boolean;
  poolSize: number;
  entities: Entities;
  migrationsDirectory?: string;
};

/** Opens the database before anything uses it, and closes it after everything has stopped. */
@Injectable()
export class DatabaseServer implements OnApplicationShutdown {
  private readonly log = new Logger('Database');
  private embedded: EmbeddedPostgres | undefined;

  constructor(
    @Inject(OPTIONS) private readonly options: DatabaseModuleOptions,
    private readonly moduleRef: ModuleRef,
  ) {}

  /** Starts or awaits the server and migrates it; nothing is left running when that fails. */
  async open(): Promise<DataSourceOptions> {
    const url = this.options.url ?? (await this.startEmbedded());
    try {
      await waitForDatabase(url, this.log);
      await this.migrate(url);
      this.log.log(`Using ${describeUrl(url)}.`);
      return dataSourceOptions({ ...this.options, url, log: this.log });
    } catch (error) {
      await this.embedded?.stop();
      throw error;
    }
  }

  /**
   * The pool closes before the server stops. Nest calls this after every room's `beforeApplicationShutdown`,
   * which is where rooms finish their work on the database.
   */
  async onApplicationShutdown(): Promise<void> {
    try {
      const dataSource = this.moduleRef.get(DataSource, { strict: false });
      if (dataSource.isInitialized) await dataSource.destroy();
    } finally {
      await this.embedded?.stop();
    }
  }

  private async startEmbedded(): Promise<string> {
    const { dataDir, explicitDataDir } = this.options;
    this.embedded = await startEmbeddedPostgres({
      dataDir,
      explicit: explicitDataDir,
      database: DATABASE,
      log: this.log,
    });
    return this.embedded.url;
  }

  /** Migrates over a pool of its own, so that the application's starts with the tables in place. */
  private async migrate(url: string): Promise<void> {
    const { migrationsDirectory } = this.options;
    const dataSource = createDataSource({ url, poolSize: 2, migrationsDirectory, log: this.log });
    await dataSource.initialize();
    try {
      await runMigrations(dataSource, { log: this.log });
    } finally {
      await dataSource.destroy();
    }
  }
}

@Module({})
export class DatabaseModule {
  /** Provides TypeORM's `DataSource`, connected and migrated. */
  static forRoot(options: DatabaseModuleOptions): DynamicModule {
    const server: DynamicModule = {
      module: DatabaseServerModule,
      // Nest stops global modules last; the server must outlive every room, however deep it is imported.
      global: true,
      providers: [{ provide: OPTIONS, useValue: options }, DatabaseServer],
      exports: [DatabaseServer],
    };
    const typeOrm = TypeOrmModule.forRootAsync({
      imports: [server],
      inject: [DatabaseServer],
      // Waiting and retrying has been done by then; TypeOrmModule's own retries would hide a mistake for 30 s.
      useFactory: async (database: DatabaseServer): Promise<TypeOrmModuleOptions> => ({
        ...(await database.open()),
        retryAttempts: 0,
      }),
      dataSourceFactory: async (resolved) => new DataSource(resolved as DataSourceOptions).initialize(),
    });
    return {
      module: DatabaseModule,
      imports: [server, typeOrm],
      providers: [ListenerService],
      exports: [TypeOrmModule, ListenerService],
    };
  }
}

@Module({})
class DatabaseServerModule {}
