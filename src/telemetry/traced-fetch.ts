import { isTracing, traced } from './tracing';

/** A fetch whose calls are spans where traces are collected. Paths and queries may name orders and buyers: left out. */
export function tracedFetch(fetch: typeof globalThis.fetch, channel: string): typeof globalThis.fetch {
  if (!isTracing()) return fetch;
  return (input, init) => {
    const { hostname, port } = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? 'GET';
    const start = () => ({
      name: `${method} ${hostname}`,
      kind: 'client' as const,
      facts: {
        'onhand.channel': channel,
        'http.request.method': method,
        'server.address': hostname,
        'server.port': port === '' ? undefined : Number(port),
      },
    });
    return traced(start, async (span) => {
      const response = await fetch(input, init);
      span.add({ 'http.response.status_code': response.status });
      return response;
    });
  };
}
