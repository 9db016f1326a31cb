import { execute } from './test-server';

/** Removes the template and, with it, the embedded server and its folder. */
export default async function globalTeardown(): Promise<void> {
  const server = globalThis.testServer;
  if (!server) return;
  await execute(server.url, `DROP DATABASE IF EXISTS ${process.env.ONHAND_TEST_TEMPLATE} WITH (FORCE)`);
  await server.stop();
}
