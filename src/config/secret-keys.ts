import type { FaultCollector } from './fault-collector';

/** 32 bytes in Base64, with or without its padding. */
const KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=?$/;

/** Keys separated by commas or white space; undefined where one of them is none. */
export function splitSecretKeys(text: string): string[] | undefined {
  const keys = text.split(/[\s,]+/).filter((each) => each !== '');
  return keys.every((key) => KEY.test(key)) ? keys : undefined;
}

/** The keys that secrets are sealed with in the database, read from the environment alone; none where it has none. */
export function readSecretKeys(env: NodeJS.ProcessEnv, faults: FaultCollector): string[] {
  const keys = splitSecretKeys(env.ONHAND_SECRET_KEYS ?? '');
  if (keys) return keys;
  faults.addVariable(
    'ONHAND_SECRET_KEYS (environment)',
    'keys of 32 bytes in Base64, separated by commas; "openssl rand -base64 32" makes one',
  );
  return [];
}
