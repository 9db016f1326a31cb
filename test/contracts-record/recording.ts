import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import nock from 'nock';
import {
  type Channel,
  type ChannelPlugin,
  createChannelHttp,
  createRedactor,
  resolvePluginOptions,
} from '../../src/channel-api';

/** What is recorded of one plugin, against an account that is there to be tested with. */
export interface Recording<Options extends object = object> {
  plugin: ChannelPlugin<Options>;
  /** Environment variables that it needs, and what each is. */
  variables: Readonly<Record<string, string>>;
  /** The channel's options, as in onhand.yaml. */
  options(env: NodeJS.ProcessEnv): object;
  /** Of the variables that are no secret, but nobody's business: what is written instead. */
  aliases: Readonly<Record<string, string>>;
  steps: readonly RecordedStep[];
}

export interface RecordedStep {
  name: string;
  /** Rejects where the channel does not answer as the plugin understands it. */
  run(channel: Channel, env: NodeJS.ProcessEnv): Promise<void>;
}

/** One step with the calls that it made, as nock plays them again. */
export interface RecordedCalls {
  step: string;
  calls: nock.Definition[];
}

/** Throws an error that names every variable that is missing. */
export function requireVariables({ variables }: Pick<Recording, 'variables'>, env: NodeJS.ProcessEnv): void {
  const missing = Object.entries(variables).filter(([name]) => !env[name]);
  if (missing.length === 0) return;
  const lines = missing.map(([name, meaning]) => `  ${name}: ${meaning}`);
  throw new Error(`These environment variables are missing:\n${lines.join('\n')}`);
}

/** Runs the steps against the account, and writes the calls of each without secrets. */
export async function record(recording: Recording, env: NodeJS.ProcessEnv, file: string): Promise<void> {
  requireVariables(recording, env);
  const { channel, secrets } = await connect(recording, env);
  const recorded: RecordedCalls[] = [];
  for (const { name, run } of recording.steps) {
    nock.recorder.rec({ dont_print: true, output_objects: true });
    try {
      await run(channel, env);
    } finally {
      nock.restore();
      recorded.push({ step: name, calls: nock.recorder.play() as nock.Definition[] });
      nock.recorder.clear();
      nock.activate();
    }
  }
  const text = scrubber(secrets, recording.aliases, env)(JSON.stringify(recorded, null, 2));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${text}\n`);
}

/**
 * Runs the steps against what was recorded, and nothing else; answers their names. Rejects where a step asks
 * otherwise than it did then.
 */
export async function replay(
  recording: Recording,
  file: string,
  more: NodeJS.ProcessEnv = {},
): Promise<string[]> {
  const redacted = Object.keys(recording.variables).map((name) => [name, '[redacted]']);
  const env = { ...(Object.fromEntries(redacted) as NodeJS.ProcessEnv), ...recording.aliases, ...more };
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as RecordedCalls[];
  const { channel } = await connect(recording, env);
  const steps = new Map(recording.steps.map((step) => [step.name, step]));
  const done: string[] = [];
  for (const { step, calls } of recorded) {
    nock.define(calls);
    try {
      await steps.get(step)?.run(channel, env);
      done.push(step);
      if (!nock.isDone())
        throw new Error(`${step}: not asked for any more: ${nock.pendingMocks().join(', ')}`);
    } finally {
      nock.cleanAll();
    }
  }
  return done;
}

async function connect(
  { plugin, options: optionsFrom }: Recording,
  env: NodeJS.ProcessEnv,
): Promise<{ channel: Channel; secrets: string[] }> {
  const options = resolvePluginOptions(plugin, optionsFrom(env));
  const secrets = plugin.secrets(options);
  const clock = { now: () => new Date(), sleep: (delayMs: number) => sleep(delayMs) };
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const http = createChannelHttp({ limits: plugin.limits(options), clock, log, secrets });
  return { channel: await plugin.connect(options, { channel: 'recording', http, log, clock }), secrets };
}

/** Tokens that an answer gave are no option's value, and are known by the names of their fields. */
const GIVEN_SECRETS = /("(?:access_token|refresh_token|id_token|client_secret)":\s*")[^"]*/g;

function scrubber(
  secrets: readonly string[],
  aliases: Recording['aliases'],
  env: NodeJS.ProcessEnv,
): (text: string) => string {
  const redact = createRedactor(secrets);
  return (text) =>
    Object.entries(aliases).reduce(
      (result, [name, alias]) => result.replaceAll(env[name] as string, alias),
      redact(text).replace(GIVEN_SECRETS, '$1[redacted]'),
    );
}
