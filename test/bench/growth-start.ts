import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../src/app.module';
import { loadConfig } from '../../src/config/load-config';
import { heapMegabytes } from './measure';

/** What a start costs. */
export interface Started {
  seconds: number;
  /** On the heap, with the host standing and everything else collected. */
  megabytes: number;
}

/** Starts a host in this process, which should be a fresh one, tells its parent what that took, and ends. */
async function main(): Promise<void> {
  const before = heapMegabytes();
  const config = loadConfig({ env: process.env, cwd: process.cwd() });
  const started = performance.now();
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config), { logger: ['error'] });
  const seconds = (performance.now() - started) / 1000;
  const told: Started = { seconds, megabytes: heapMegabytes() - before };
  process.send!(told);
  await app.close();
  process.disconnect();
}

void main();
