import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from './config.errors';

/** A configuration file's text. `path` is absolute; both are null when there is no file, which is fine. */
export interface ConfigFile {
  readonly path: string | null;
  readonly text: string | null;
}

/** What a person can give to say which file and where. */
export interface ConfigLocation {
  /** The path given as `--config`; wins over ONHAND_CONFIG. */
  readonly file?: string;
  readonly env: NodeJS.ProcessEnv;
  /** Folder that relative paths outside the file start from. */
  readonly cwd: string;
}

/** The named file, or `./onhand.yaml`, or none. @throws ConfigError when a file is named or there, and unreadable. */
export function readConfigFile({ file, env, cwd }: ConfigLocation): ConfigFile {
  const named = file ?? (env.ONHAND_CONFIG || undefined);
  const path = resolve(cwd, named ?? 'onhand.yaml');
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    if (named === undefined && reason === 'ENOENT') return { path: null, text: null };
    const source = file === undefined ? 'ONHAND_CONFIG' : '--config';
    throw new ConfigError(null, [
      { path: named === undefined ? path : source, expected: `a readable file at ${path}`, found: reason },
    ]);
  }
}
