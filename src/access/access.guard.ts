import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Problem } from '../http/problem';
import { ApiKeysService, type Caller } from './api-keys.service';
import { NEEDED_SCOPE, OPEN_ROUTE, type Scope } from './scopes';

declare module 'express' {
  interface Request {
    caller?: Caller;
  }
}

/** Every route needs a key with its scope, unless it says that it is open. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: ApiKeysService,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(OPEN_ROUTE, places)) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const caller = this.callerOf(request.headers.authorization);
    const needed = this.reflector.getAllAndOverride<Scope>(NEEDED_SCOPE, places) ?? 'admin';
    if (!caller.scopes.has('admin') && !caller.scopes.has(needed)) {
      throw new Problem('forbidden', `this needs a key with the scope ${needed}`);
    }
    request.caller = caller;
    return true;
  }

  private callerOf(header: string | undefined): Caller {
    const key = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(header ?? '')?.[1];
    if (!key) throw new Problem('unauthorized', 'send the header `Authorization: Bearer <API key>`');
    const caller = this.keys.callerOf(key);
    if (!caller) throw new Problem('unauthorized', 'the API key is unknown or was revoked');
    return caller;
  }
}
