import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Problem } from '../http/problem';
import { ApiKeysService, type Caller } from './api-keys.service';
import { RequestLimits } from './request-limits.service';
import { NEEDED_SCOPE, OPEN_ROUTE } from './needs';
import type { Scope } from './scopes';
import { sessionToken } from './session-cookie';
import { SessionsService } from './sessions.service';

declare module 'express' {
  interface Request {
    /** Who asks, once known; also of a request that is refused for its scope. */
    caller?: Caller;
    /** Signed in at the console, and not with the key itself. */
    isSession?: boolean;
  }
}

/** A page of another site cannot send it, without leave that this host never gives. */
const FROM_CONSOLE = 'x-onhand-console';
const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/** Every route needs a key with its scope, or a browser signed in with one, unless it says that it is open. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: ApiKeysService,
    private readonly sessions: SessionsService,
    private readonly limits: RequestLimits,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(OPEN_ROUTE, places)) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const needed = this.reflector.getAllAndOverride<readonly Scope[]>(NEEDED_SCOPE, places) ?? ['admin'];
    const { authorization } = request.headers;
    const token = authorization === undefined ? sessionToken(request) : undefined;
    const caller =
      token === undefined ? this.callerOf(request, authorization) : this.callerIn(token, request);
    return this.admit(request, caller, needed);
  }

  private async admit(
    request: Request,
    known: Caller | Promise<Caller>,
    anyOf: readonly Scope[],
  ): Promise<boolean> {
    const caller = await known;
    request.caller = caller;
    await this.limits.count(caller.id);
    if (!caller.scopes.has('admin') && !anyOf.some((scope) => caller.scopes.has(scope)))
      throw new Problem('forbidden', `this needs a key with the scope ${anyOf.join(' or ')}`);
    return true;
  }

  private callerOf(request: Request, header: string | undefined): Caller | Promise<Caller> {
    const key = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(header ?? '')?.[1];
    if (!key) throw new Problem('unauthorized', 'send the header `Authorization: Bearer <API key>`');
    const caller = this.keys.callerOf(key);
    const address = request.ip ?? '';
    // Who was here before goes on: others behind the same proxy may be guessing.
    if (this.limits.isWaiting(address) && caller?.from !== address) this.limits.refuse(address);
    if (!caller) return this.refused(address);
    if (caller.from !== address) caller.from = address;
    return caller;
  }

  private async refused(address: string): Promise<never> {
    await this.limits.failed(address);
    throw new Problem('unauthorized', 'the API key is unknown or was revoked');
  }

  private async callerIn(token: string, request: Request): Promise<Caller> {
    const { method, headers, ip = '' } = request;
    // Before the database is asked: anybody can make up a cookie.
    await this.limits.count(ip);
    const session = await this.sessions.sessionOf(token);
    if (!session) throw new Problem('unauthorized', 'the session has ended; sign in again');
    request.caller = session.caller;
    request.isSession = true;
    if (!SAFE.includes(method) && headers[FROM_CONSOLE] === undefined)
      throw new Problem(
        'forbidden',
        `a browser's session changes something only with the header ${FROM_CONSOLE}`,
      );
    return session.caller;
  }
}
