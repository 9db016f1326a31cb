import type { FaultCollector } from './fault-collector';
import { isMapping } from './field-rules';
import { formatPath, type KeyPath } from './key-path';

const SHORTEST_ADMIN_KEY = 16;

/** Environment variables that win over the file. */
export const OVERRIDES: Readonly<Record<string, KeyPath>> = {
  HOST: ['server', 'host'],
  PORT: ['server', 'port'],
  DATABASE_URL: ['database', 'url'],
  REDIS_URL: ['redis', 'url'],
  ONHAND_DATA_DIR: ['dataDir'],
  ONHAND_ROLE: ['role'],
  LOG_LEVEL: ['log', 'level'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['telemetry', 'otlpUrl'],
};

/**
 * The file's value with the environment's overrides put in. An empty variable counts as not set, because
 * that is how Compose and CI systems pass one that nobody gave.
 */
export function applyEnvironment(value: unknown, env: NodeJS.ProcessEnv, faults: FaultCollector): unknown {
  if (value !== undefined && value !== null && !isMapping(value)) return value;
  return Object.entries(OVERRIDES).reduce<Record<string, unknown>>(
    (result, [variable, path]) => {
      const text = env[variable];
      const [first, second] = path;
      if (!text || typeof first !== 'string') return result;
      if (typeof second !== 'string') {
        faults.overrides.set(formatPath(path), variable);
        return { ...result, [first]: text };
      }
      const section = result[first] ?? {};
      // A section of the wrong kind is a fault of its own, and must stay visible as one.
      if (!isMapping(section)) return result;
      faults.overrides.set(formatPath(path), variable);
      return { ...result, [first]: { ...section, [second]: text } };
    },
    { ...value },
  );
}

/** The administrator's key, which is only ever read from the environment; null when there is none. */
export function readAdminKey(env: NodeJS.ProcessEnv, faults: FaultCollector): string | null {
  const key = env.ONHAND_ADMIN_KEY;
  if (!key) return null;
  if (key.length < SHORTEST_ADMIN_KEY || /\s/.test(key)) {
    faults.addVariable(
      'ONHAND_ADMIN_KEY (environment)',
      `at least ${SHORTEST_ADMIN_KEY} characters without spaces; "openssl rand -hex 24" makes a good one`,
    );
  }
  return key;
}
