import { Body, Controller, Delete, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { IsText } from '../http/fields';
import { Problem } from '../http/problem';
import { RequestLimits } from './request-limits.service';
import { clearSessionCookie, sessionToken, setSessionCookie } from './session-cookie';
import { Open } from './needs';
import { type Session, SessionsService } from './sessions.service';

class SignIn {
  @ApiProperty({ description: 'An API key; the session can do what the key can' })
  @IsText(200)
  key: string;
}

/** For browsers: the console shows a key once and is known by an httpOnly cookie from then on. */
@ApiTags('session')
@Controller('v1/session')
@Open()
export class SessionController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly limits: RequestLimits,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign a browser in with an API key' })
  async signIn(
    @Body() { key }: SignIn,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const address = request.ip ?? '';
    if (this.limits.isWaiting(address)) this.limits.refuse(address);
    await this.limits.count(address);
    const session = await this.sessions.signIn(key);
    if (!session) await this.limits.failed(address);
    if (!session) throw new Problem('unauthorized', 'the API key is unknown or was revoked');
    showCaller(request, session);
    setSessionCookie(request, response, session.token, session.expiresAt);
    return viewOf(session);
  }

  @Get()
  @ApiOperation({ summary: 'Who this browser is signed in as' })
  async who(@Req() request: Request) {
    await this.limits.count(request.ip ?? '');
    const token = sessionToken(request);
    const session = token && (await this.sessions.sessionOf(token));
    if (!session) throw new Problem('unauthorized', 'this browser is not signed in');
    return viewOf(session);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign this browser out' })
  async signOut(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    const token = sessionToken(request);
    const session = token && (await this.sessions.sessionOf(token));
    if (session) showCaller(request, session);
    if (token) await this.sessions.signOut(token);
    clearSessionCookie(request, response);
  }
}

/** The guard lets everybody in here; who it was is known only now. */
function showCaller(request: Request, { caller }: Session): void {
  request.caller = caller;
  request.isSession = true;
}

function viewOf({ caller, expiresAt }: Session) {
  return { name: caller.name, scopes: [...caller.scopes], expiresAt };
}
