import type { Request, Response } from 'express';

const NAME = 'onhand_session';
const TOKEN = /^[\w-]{43}$/;

/** The token of a request's session cookie, if it is one of ours. */
export function sessionToken({ headers }: Request): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  const token = pairs.find(([name]) => name === NAME)?.[1];
  return token !== undefined && TOKEN.test(token) ? token : undefined;
}

/** Out of reach of scripts, sent to this host alone, and never along with another site's request. */
export function setSessionCookie(request: Request, response: Response, token: string, expires: Date): void {
  response.cookie(NAME, token, { ...optionsFor(request), expires });
}

export function clearSessionCookie(request: Request, response: Response): void {
  response.clearCookie(NAME, optionsFor(request));
}

/** Over plain HTTP, on localhost say, a browser would not keep a secure one. */
function optionsFor({ secure }: Request) {
  return { httpOnly: true, sameSite: 'strict', path: '/', secure } as const;
}
