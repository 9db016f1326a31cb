import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load-config';
import { startHost } from '../../src/main';
import { startTestServer } from '../support/test-server';
import { apiReference, type OpenApi } from './api';
import { cliReference } from './cli';
import { configurationReference } from './configuration';

/** The pages of `docs/` that are made and not written. `npm run docs` makes all of them, or those that are named. */
const PAGES: Readonly<Record<string, () => Promise<string>>> = {
  configuration: () => Promise.resolve(configurationReference()),
  cli: () => Promise.resolve(cliReference()),
  api: async () => apiReference(await describedApi()),
};

/** A host says it of itself: one is started for it, on a database that is gone afterwards. */
async function describedApi(): Promise<OpenApi> {
  const server = await startTestServer();
  const env = {
    DATABASE_URL: server.url,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ONHAND_ADMIN_KEY: 'of-nobody-at-all',
  };
  const app = await startHost(loadConfig({ env, cwd: join(__dirname, '../support') }));
  try {
    const answer = await fetch(`${await app.getUrl()}/docs/openapi.json`);
    return (await answer.json()) as OpenApi;
  } finally {
    await app.close();
    await server.stop();
  }
}

async function make(wanted: readonly string[]): Promise<void> {
  for (const [name, text] of Object.entries(PAGES))
    if (wanted.length === 0 || wanted.includes(name))
      await writeFile(join(__dirname, '../../docs', `${name}.md`), await text());
}

void make(process.argv.slice(2)).then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${String((error as Error).stack ?? error)}\n`);
    process.exit(1);
  },
);
