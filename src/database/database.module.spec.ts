import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Module, type BeforeApplicationShutdown } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryColumn, type Repository } from 'typeorm';
import { createTestDatabase } from '../../test/support/database';
import { temporaryFolder } from '../../test/support/test-server';
import { DatabaseModule } from './database.module';
import { processIdentity } from './process-identity';

@Entity('crate')
class CrateEntity {
  @PrimaryColumn({ type: 'bigint' })
  id: number;

  @Column('text')
  label: string;
}

@Injectable()
class LastWords implements BeforeApplicationShutdown {
  said: unknown;

  constructor(@InjectRepository(CrateEntity) private readonly crates: Repository<CrateEntity>) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.said = await this.crates.count();
  }
}

@Module({ imports: [TypeOrmModule.forFeature([CrateEntity])], providers: [LastWords] })
class CrateModule {}

const options = { explicitDataDir: true, poolSize: 3, entities: [CrateEntity] };

async function startApp(more: { url?: string; dataDir: string }) {
  const module = await Test.createTestingModule({
    imports: [CrateModule, DatabaseModule.forRoot({ ...options, ...more })],
  }).compile();
  const warnings: unknown[] = [];
  const warn = (message: unknown) => void warnings.push(message);
  module.useLogger({ log: () => undefined, warn, error: warn });
  return { app: await module.init(), warnings };
}

test('with a URL the module gives a connected, migrated data source and closes it', async () => {
  const database = await createTestDatabase();
  const { app } = await startApp({ url: database.url, dataDir: '/nowhere' });
  const dataSource = app.get(DataSource);
  expect(await dataSource.query("SELECT to_regclass('migrations') IS NOT NULL AS migrated")).toEqual([
    { migrated: true },
  ]);
  await dataSource.query('CREATE TABLE crate (id bigint PRIMARY KEY, label text)');
  const crates = dataSource.getRepository(CrateEntity);
  await crates.insert({ id: 7, label: 'apples' });
  expect(await crates.find()).toEqual([{ id: 7, label: 'apples' }]);
  await app.close();
  expect(dataSource.isInitialized).toBe(false);
  await database.drop();
});

test('without a URL PostgreSQL runs in the data directory until every room has finished', async () => {
  const dataDir = await temporaryFolder();
  const { app, warnings } = await startApp({ dataDir });
  const words = app.get(LastWords);
  await app.get(DataSource).query('CREATE TABLE crate (id bigint PRIMARY KEY, label text)');
  const pid = Number((await readFile(join(dataDir, 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  await app.close();
  expect(words.said).toBe(0);
  expect(warnings).toEqual([]);
  expect(await processIdentity(pid)).toBeUndefined();
  await rm(dataDir, { recursive: true });
});
