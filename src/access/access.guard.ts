import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Problem } from '../http/problem';
import { ApiKeysService, type Caller } from './api-keys.service';
import { NEEDED_SCOPE, OPEN_ROUTE, type Scope } from './scopes';
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
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(OPEN_ROUTE, places)) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const needed = this.reflector.getAllAndOverride<Scope>(NEEDED_SCOPE, places) ?? 'admin';
    const { authorization } = request.headers;
    const token = authorization === undefined ? sessionToken(request) : undefined;
    if (token === undefined) return admit(request, this.callerOf(authorization), needed);
    return this.callerIn(token, request).then((caller) => admit(request, caller, needed));
  }

  private callerOf(header: string | undefined): Caller {
    const key = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(header ?? '')?.[1];
    if (!key) throw new Problem('unauthorized', 'send the header `Authorization: Bearer <API key>`');
    const caller = this.keys.callerOf(key);
    if (!caller) throw new Problem('unauthorized', 'the API key is unknown or was revoked');
    return caller;
  }

  private async callerIn(token: string, request: Request): Promise<Caller> {
    const { method, headers } = request;
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

function admit(request: Request, caller: Caller, needed: Scope): boolean {
  request.caller = caller;
  if (!caller.scopes.has('admin') && !caller.scopes.has(needed))
    throw new Problem('forbidden', `this needs a key with the scope ${needed}`);
  return true;
}
