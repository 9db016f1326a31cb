import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module';
import { requirePinnedPlugins } from './channels/pinned-plugins';
import type { Config } from './config/config';
import { ConfigError } from './config/config.errors';
import { loadConfig } from './config/load-config';
import { ROLES } from './config/role';
import { serveConsole } from './console/serve-console';
import { setUpHttp } from './http/setup';
import { VERSION } from './version';

/** Starts a host and resolves once it listens. Throws what keeps it from starting. */
export async function startHost(config: Config): Promise<NestExpressApplication> {
  requirePinnedPlugins(config);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), {
    abortOnError: false,
    bodyParser: false,
    bufferLogs: true,
    // What keeps the host from starting is told once, by whoever called; not by Nest as well.
    autoFlushLogs: false,
  });
  app.useLogger(app.get(Logger));
  app.flushLogs();
  setUpHttp(app, config, VERSION);
  if (config.roles.includes('web')) serveConsole(app);
  app.enableShutdownHooks();
  const { host, port } = config.server;
  await app.listen(port, host);
  const serves = config.roles.includes('web')
    ? 'the console is at /, its API is described at /docs'
    : 'for health and metrics alone';
  const parts = config.roles.length < ROLES.length ? ` (${config.roles.join(', ')})` : '';
  app.get(Logger).log(`Onhand ${VERSION}${parts} listens on ${await app.getUrl()}; ${serves}`);
  return app;
}

/**
 * Faults of the configuration end with 2, whatever else keeps the host from starting with 1. `role` wins over
 * ONHAND_ROLE and the file.
 */
export async function runHost(options: { configFile?: string; role?: string } = {}): Promise<void> {
  const { configFile: file, role } = options;
  try {
    const env = role === undefined ? process.env : { ...process.env, ONHAND_ROLE: role };
    await startHost(loadConfig({ file, env, cwd: process.cwd() }));
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof ConfigError ? 2 : 1);
  }
}

if (require.main === module) void runHost();
