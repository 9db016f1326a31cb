import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import helmet from 'helmet';
import { PACKAGE_ROOT } from '../version';

/** What `npm run build` made of `src/console/web`. */
const BUILT = join(PACKAGE_ROOT, 'dist/console');

/**
 * The operators' page at `/`: files alone, which anybody may have; what they show is asked of the API. They run
 * what this host serves and nothing else, and no other site may frame them.
 */
export function serveConsole(app: NestExpressApplication): void {
  const guarded = helmet({
    // Whether there is TLS in front is not known here.
    hsts: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
  });
  // Their names change with their content.
  const assets = express.static(join(BUILT, 'assets'), { immutable: true, maxAge: '1y', index: false });
  app.use('/assets', guarded, assets);
  const server = app.getHttpAdapter().getInstance() as express.Express;
  for (const [path, file] of [
    ['/', 'index.html'],
    ['/icon.svg', 'icon.svg'],
  ] as const) {
    server.get(path, guarded, (_request, response) => {
      response.setHeader('cache-control', 'no-cache');
      response.sendFile(join(BUILT, file));
    });
  }
}
