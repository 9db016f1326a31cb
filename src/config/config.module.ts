import { type DynamicModule, Module } from '@nestjs/common';
import { Config } from './config';

/**
 * The config room: `onhand.yaml` and the environment become one frozen `Config`, before Nest starts.
 * Other rooms inject `Config`; nothing reads the environment or the file after that.
 */
@Module({})
export class ConfigModule {
  /** A module that provides an object made by `loadConfig`. Every room that injects `Config` imports it. */
  static forRoot(config: Config): DynamicModule {
    return { module: ConfigModule, providers: [{ provide: Config, useValue: config }], exports: [Config] };
  }
}
