import type { NextFunction, Request, Response } from 'express';
import { Problem } from './problem';

/** For hosts without the role web: every other address is answered with where to turn. */
export function answersOnly(paths: readonly string[]) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const served = paths.some((path) => request.path === path || request.path.startsWith(`${path}/`));
    if (served) next();
    else next(new Problem('not-found', 'this host does not have the role web; send this to one that does'));
  };
}
