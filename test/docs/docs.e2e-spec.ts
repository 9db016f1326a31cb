import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROBLEMS } from '../../src/http/problem';
import { startTestHost } from '../support/host';
import { apiReference, type OpenApi } from './api';
import { cliReference } from './cli';
import { configurationReference } from './configuration';

const DOCS = join(__dirname, '../../docs');
const page = (name: string) => readFileSync(join(DOCS, name), 'utf8');

test('the reference of the configuration is what `npm run docs:config` makes', () => {
  expect(page('configuration.md')).toBe(configurationReference());
});

test('the reference of the commands is what `npm run docs:cli` makes', () => {
  expect(page('cli.md')).toBe(cliReference());
});

test('the reference of the API is what `npm run docs:api` makes', async () => {
  const host = await startTestHost();
  try {
    const { body } = await host.api.get<OpenApi>('/docs/openapi.json');
    expect(page('api.md')).toBe(apiReference(body));
  } finally {
    await host.close();
  }
});

test('every problem has an entry under troubleshooting, with its status, and no entry is of none', () => {
  const entries = [...page('troubleshooting.md').matchAll(/^### (\S+)\n\n(\d{3})\. /gm)];
  const told = Object.fromEntries(entries.map(([, code, status]) => [code, Number(status)]));
  const known = Object.entries(PROBLEMS).map(([code, { status }]) => [code, status]);
  expect(told).toEqual(Object.fromEntries(known));
});

test('every link between pages leads to a page', () => {
  const files = ['../README.md', ...readdirSync(DOCS).filter((name) => name.endsWith('.md'))];
  const broken = files.flatMap((file) =>
    [...page(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, target]) => join(dirname(join(DOCS, file)), target!))
      .filter((target) => !isThere(target))
      .map((target) => `${file}: ${target}`),
  );
  expect(broken).toEqual([]);
});

function isThere(path: string): boolean {
  try {
    return readdirSync(dirname(path)).includes(path.replace(/\/$/, '').split('/').at(-1)!);
  } catch {
    return false;
  }
}
