import 'reflect-metadata';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import { loadConfig } from '../../src/config/load-config';
import { startHost } from '../../src/main';
import { PACKAGE_ROOT } from '../../src/version';
import { HostClient } from '../support/host-client';
import { temporaryFolder } from '../support/test-server';
import { prepare } from './host-fuzz';
import { HttpFuzzer } from './http-fuzzer';
import { connect, fuzzPlugin, samplesOf } from './plugin-fuzzer';
import { PLUGINS } from './plugins';

const USAGE = `Sends hostile requests to every route of a host of its own, and hostile webhooks to every plugin.

  npm run fuzz -- --requests 100000 [--messages 20000] [--seed 1]

Ends with 1 where something was found; the same seed sends the same requests.`;
const ADMIN_KEY = 'the-admin-key-of-the-fuzzed-host';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '10000' },
      messages: { type: 'string', default: '2000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return say(USAGE);
  const [requests, messages, seed] = [values.requests, values.messages, values.seed].map(Number) as [
    number,
    number,
    number,
  ];
  if (![requests, messages, seed].every((each) => Number.isSafeInteger(each) && each >= 0))
    throw new Error(USAGE);
  say(`seed ${seed}`);
  const found = (await fuzzPlugins(messages, seed)) + (await fuzzHost(requests, seed));
  if (found > 0) process.exitCode = 1;
  say(found === 0 ? 'Nothing was found.' : `${found} found.`);
}

async function fuzzPlugins(messages: number, seed: number): Promise<number> {
  let found = 0;
  for (const { name, plugin, start } of PLUGINS) {
    const simulator = await start({ webhookSecret: 'a-webhook-secret' });
    const channel = await connect(plugin, simulator);
    const findings = await fuzzPlugin(channel, samplesOf(simulator), { seed, messages });
    await channel.close?.();
    await simulator.close();
    say(`${name}: ${messages} webhooks, ${findings.length} found`);
    findings.forEach((finding) => say(finding));
    found += findings.length;
  }
  return found;
}

async function fuzzHost(requests: number, seed: number): Promise<number> {
  const folder = await temporaryFolder();
  const shop = await startSimulator({ webhookSecret: 'a-webhook-secret' });
  shop.list([{ channelSku: 'S-A', quantityUnits: 0 }]);
  const file = join(folder, 'onhand.yaml');
  await writeFile(join(folder, 'shop.csv'), 'channel_sku,sku,units\nS-A,A,1\n');
  const channel = {
    name: 'shop',
    plugin: join(PACKAGE_ROOT, 'plugins/generic-rest/dist/generic-rest.plugin.js'),
    options: shop.pluginOptions,
    listings: './shop.csv',
  };
  const access = { requestsPerSecond: 1_000_000, failuresPerMinute: 0 };
  await writeFile(file, stringify({ access, outbound: { allow: ['127.0.0.1'] }, channels: [channel] }));
  const env = {
    ONHAND_ADMIN_KEY: ADMIN_KEY,
    ONHAND_DATA_DIR: join(folder, 'data'),
    LOG_LEVEL: 'error',
    PORT: '0',
  };
  const app = await startHost(loadConfig({ file, env, cwd: folder }));
  const prepared = await prepare(new HostClient(await app.getUrl(), ADMIN_KEY));
  const fuzzer = new HttpFuzzer({ ...prepared, seed, keys: [...prepared.keys, undefined] });
  const started = performance.now();
  await fuzzer.run(requests, (done) => done % 10_000 === 0 && say(`${done} requests`));
  const seconds = Math.round((performance.now() - started) / 1000);
  const verified = await new HostClient(prepared.url, ADMIN_KEY).post<{ ok: boolean }>(
    '/v1/ledger/verify?wait=60',
  );
  await fuzzer.close();
  await app.close();
  await shop.close();
  await rm(folder, { recursive: true, force: true });
  const statuses = [...fuzzer.statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, times]) => `${status}: ${times}`);
  say(`host: ${requests} requests in ${seconds} s, answered ${statuses.join(', ')}`);
  if (process.env.FUZZ_TIMES) say(fuzzer.slowest().join('\n'));
  fuzzer.findings.forEach((finding) => say(JSON.stringify(finding, null, 2)));
  if (!verified.body.ok) say(`the ledger is not whole: ${JSON.stringify(verified.body)}`);
  return fuzzer.findings.length + (verified.body.ok ? 0 : 1);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

void main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
