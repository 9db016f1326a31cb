import { parsedUrl } from '../channel-api/parsed-url';
import type { KeyPath } from './key-path';

/** Stands where a secret would. */
export const HIDDEN = '[hidden]';

/** Keys that name a credential in the APIs of the marketplaces, and connection strings that carry one. */
const SECRET_KEY =
  /secret|passw|passphrase|pwd|token|credential|auth|cookie|signature|bearer|dsn|keys?$|^(?:database|redis)_?url$/i;
const SECRET_PATHS = new Set(['database.url', 'redis.url']);
const LONGEST_SHOWN = 60;

/** True when any key on the way to a value says that the value is a secret. */
export function isSecretPath(path: KeyPath): boolean {
  if (SECRET_PATHS.has(path.join('.'))) return true;
  // Slack's incoming webhooks are secrets in themselves.
  if (path[0] === 'receivers' && path.at(-1) === 'url') return true;
  return path.some((key) => typeof key === 'string' && SECRET_KEY.test(key));
}

/** Text with the `user:password@` of any address in it replaced, and the rest left readable. */
export function maskAddresses(text: string): string {
  return text.replace(/\/\/\S*@/g, `//${HIDDEN}@`);
}

/** A connection address without its credentials and its query, which may hold them too. */
export function maskConnection(url: string): string {
  const parsed = parsedUrl(url);
  if (!parsed) return HIDDEN;
  const { protocol, host, pathname, username, password } = parsed;
  // A password with an unescaped slash ends up in the path, its @ with it.
  if (pathname.includes('@')) return HIDDEN;
  return `${protocol}//${username || password ? `${HIDDEN}@` : ''}${host}${pathname}`;
}

/** The kind of a value, for places where the value itself may be anything, a pasted secret too. */
export function showKind(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

/** A value as an error may show it: scalars in short, containers by their kind only. */
export function showFound(value: unknown): string {
  if (typeof value === 'object' || value === undefined) return showKind(value);
  if (typeof value !== 'string') return String(value);
  const text = maskAddresses(value);
  return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
}
