import type { NestExpressApplication } from '@nestjs/platform-express';

export interface Route {
  method: string;
  /** As OpenAPI writes it, such as `/v1/stock/{sku}`. */
  path: string;
}

interface Router {
  stack: { route?: { path: string; methods: Record<string, boolean> } }[];
}

/** Where middleware of modules hangs: it sees every request and answers none. */
const CATCH_ALL = '/{*path}';

/** Every route that the application answers, read from its router and not from what it says of itself. */
export function routesOf(app: NestExpressApplication): Route[] {
  const { router } = app.getHttpAdapter().getInstance() as { router: Router };
  return router.stack.flatMap(({ route }) =>
    route === undefined || route.path === CATCH_ALL
      ? []
      : Object.keys(route.methods).map((method) => ({
          method: method.toUpperCase(),
          path: route.path.replace(/[:*](\w+)/g, '{$1}'),
        })),
  );
}

/** Every operation of an OpenAPI document. */
export function operationsOf(document: { paths: Record<string, Record<string, unknown>> }): Route[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({ method: method.toUpperCase(), path })),
  );
}

/** A request to the route with something in each of its places. */
export function filled(path: string): string {
  return path.replace(/\{\w+\}/g, 'x');
}
