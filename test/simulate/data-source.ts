import { Pool } from 'pg';
import { type DataSource, EntityManager } from 'typeorm';
import { createDataSource, dataSourceOptions } from '../../src/database/data-source';
import { LocationEntity } from '../../src/inventory/location.entity';
import { SkuEntity } from '../../src/inventory/sku.entity';

/** Entities as TypeORM knows them once it is initialized, which takes longer than all else of a host's start. */
let prepared: DataSource | undefined;

/** To be called before the seams are installed: it speaks with the real server. */
export async function prepareDataSource(url: string): Promise<void> {
  prepared = await createDataSource({ url, poolSize: 1, entities: [LocationEntity, SkuEntity] }).initialize();
}

/** TypeORM's own data source and driver, over a pool of the host's own. */
export function dataSourceOf(url: string): DataSource {
  const dataSource = Object.create(prepared!) as DataSource & { driver: object; manager: object };
  const { extra, ...options } = dataSourceOptions({ url, poolSize: 6 }) as never as {
    extra: object;
    url: string;
  };
  const master = new Pool({ connectionString: options.url, max: 6, ...extra });
  master.on('error', () => undefined);
  const driver = Object.create(prepared!.driver, {
    master: { value: master },
    connection: { value: dataSource },
  }) as object;
  Object.defineProperties(dataSource, {
    driver: { value: driver },
    manager: { value: new EntityManager(dataSource) },
  });
  return dataSource;
}
