import type { Server } from 'node:http';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';

const LOOK_AGAIN_MS = 50;

/** Supervisors kill after 10 s as a rule; what is not answered by then is cut off, and safe to repeat by key. */
const GIVE_UP_AFTER_MS = 5_000;

/**
 * Ends the HTTP server before anything that it needs: what was taken is answered, and nothing more is taken.
 * Nest itself closes it after the rooms have stopped, and then waits for as long as callers keep sending on
 * connections that they hold open.
 */
@Injectable()
export class DrainService implements OnModuleDestroy {
  constructor(private readonly adapter: HttpAdapterHost) {}

  async onModuleDestroy(): Promise<void> {
    const server = this.adapter.httpAdapter?.getHttpServer() as Server | undefined;
    if (!server?.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const idle = setInterval(() => server.closeIdleConnections(), LOOK_AGAIN_MS);
    const giveUp = setTimeout(() => server.closeAllConnections(), GIVE_UP_AFTER_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(giveUp);
  }
}

/** For every request: once the server takes no new connections, an answer is the last on its own. */
export function lastOnceClosing(server: Server) {
  return (_request: Request, response: Response, next: NextFunction): void => {
    if (!server.listening) response.setHeader('Connection', 'close');
    next();
  };
}
