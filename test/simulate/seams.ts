import { createRequire } from 'node:module';
import { Logger, type LoggerService } from '@nestjs/common';
import pg from 'pg';
import type { ChannelPlugin } from '../../src/channel-api';
import { installClocks } from './clocks';
import { SimulatedClient } from './simulated-client';

/** What hosts meet where the world begins; set for each run. */
export interface Outside {
  plugin: ChannelPlugin;
  fetch: typeof globalThis.fetch;
  log(level: string, line: string): void;
}

let outside: Outside | undefined;

export function useOutside(next: Outside | undefined): void {
  outside = next;
}

const load = createRequire(__filename);

/** Puts a module with some exports replaced in the place of the module. Before anything else loads it. */
function replace(path: string, replaced: Record<string, unknown>): void {
  const file = load.resolve(path);
  const original = load(path) as Record<string, unknown>;
  const exports: Record<string, unknown> = {};
  for (const name of Object.keys(original)) exports[name] = original[name];
  load.cache[file]!.exports = { ...exports, ...replaced };
}

/**
 * All that is put in the place of the real thing: time and chance, the connection to PostgreSQL (whose other end is
 * the real server), the outbound `fetch`, and how a plugin's module is found. Everything else is as it ships.
 */
export function installSeams(): void {
  installClocks();
  const RealPool = pg.Pool as unknown as { new (options: object): object };
  const BasePool = Object.getPrototypeOf(RealPool) as new (options: object, client: unknown) => object;
  class SimulatedPool extends BasePool {
    constructor(options: object) {
      super(options, SimulatedClient);
    }
  }
  Object.assign(pg, { Client: SimulatedClient, Pool: SimulatedPool });
  replace('../../src/channels/guarded-fetch', {
    createGuardedFetch: () => ({
      fetch: (...given: Parameters<typeof globalThis.fetch>) => outside!.fetch(...given),
      close: () => Promise.resolve(),
    }),
  });
  replace('../../src/channels/plugin-location', { locatePlugin: () => ({ isPinned: true }) });
  replace('../../src/channels/plugin-loader', { loadLocated: () => Promise.resolve(outside!.plugin) });
  const to =
    (level: string) =>
    (message: unknown, ...more: unknown[]) =>
      outside?.log(level, [message, ...more].map(String).join(' '));
  const log = {
    log: to('log'),
    warn: to('warn'),
    error: to('error'),
    debug: to('debug'),
    verbose: to('debug'),
  };
  Logger.overrideLogger(log as LoggerService);
}
