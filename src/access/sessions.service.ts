import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { poolOf } from '../database/pool';
import { ApiKeysService, type Caller, hashOf } from './api-keys.service';

/** A working day; then the key is asked for again. */
export const SESSION_SECONDS = 12 * 3600;

export interface Session {
  caller: Caller;
  expiresAt: Date;
}

/** Browsers that have shown an API key. A session can do what its key can, as long as the key can. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly keys: ApiKeysService,
  ) {}

  /** The token is for the browser's cookie and is kept nowhere else. Undefined when there is no such key. */
  async signIn(key: string): Promise<(Session & { token: string }) | undefined> {
    const caller = this.keys.callerOf(key);
    if (!caller) return undefined;
    const token = randomBytes(32).toString('base64url');
    const made = await poolOf(this.dataSource).query<{ expiresAt: Date }>(SIGN_IN, [
      hashOf(token),
      hashOf(key),
      SESSION_SECONDS,
    ]);
    return { token, caller, expiresAt: made.rows[0]!.expiresAt };
  }

  async sessionOf(token: string): Promise<Session | undefined> {
    const found = await poolOf(this.dataSource).query<{ keyHash: Buffer; expiresAt: Date }>({
      name: 'console-session',
      text: FIND,
      values: [hashOf(token)],
    });
    const [row] = found.rows;
    const caller = row && this.keys.callerOfHash(row.keyHash);
    return caller && { caller, expiresAt: row.expiresAt };
  }

  async signOut(token: string): Promise<void> {
    await poolOf(this.dataSource).query('DELETE FROM console_sessions WHERE token_hash = $1', [
      hashOf(token),
    ]);
  }
}

/** Those that have ended go with the next sign-in. */
const SIGN_IN = `
  WITH ended AS (DELETE FROM console_sessions WHERE expires_at < clock_timestamp())
  INSERT INTO console_sessions (token_hash, key_hash, expires_at)
  VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
  RETURNING expires_at AS "expiresAt"`;

const FIND = `
  SELECT key_hash AS "keyHash", expires_at AS "expiresAt" FROM console_sessions
   WHERE token_hash = $1 AND expires_at > clock_timestamp()`;
