import { type Command, InvalidArgumentError, Option } from 'commander';
import { parsedUrl } from '../channel-api/parsed-url';
import { HostClient } from '../replay/host-client';
import type { ReplayOptions } from '../replay/replay';

const DURATION_UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const LONGEST_SHUFFLE_MS = 12 * 3_600_000;
const DEFAULT_URL = 'http://127.0.0.1:3000';
const DEFAULT_SEED = 1;

/** The options of every command that talks to a running host. */
export interface HostFlags {
  url: string;
  apiKey?: string;
}

export type JsonFlags = HostFlags & { json?: boolean };

/** `--json`, with the shape of what is printed then; help and `docs/cli.md` show it. */
export class JsonOption extends Option {
  constructor(readonly shape: string) {
    super('--json', `print JSON: ${shape}`);
  }
}

export const CONFIG_HELP =
  'configuration file; default ONHAND_CONFIG, or onhand.yaml in this folder where there is one';

export interface ReplayFlags {
  speed: number;
  duplicate: number;
  shuffleWithin: number;
  seed: number;
  opening: number;
}

export function withHostOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--url <url>', 'address of the host')
        .env('ONHAND_URL')
        .default(DEFAULT_URL)
        .argParser(parseUrl),
    )
    .addOption(
      new Option(
        '--api-key <key>',
        'API key; default ONHAND_API_KEY or ONHAND_ADMIN_KEY, which no process list shows',
      ),
    );
}

export function withReplayOptions(command: Command): Command {
  return command
    .option('--speed <n>', 'file seconds per real second; 0 is as fast as possible', parseFactor, 0)
    .option('--duplicate <share>', 'share of the webhooks sent a second time, such as 0.1', parseShare, 0)
    .option(
      '--shuffle-within <time>',
      'move documents in time by up to so much, such as 60s (ms, s, m, h)',
      parseDuration,
      0,
    )
    .option('--seed <n>', 'of everything that is drawn at random', parseSeed, DEFAULT_SEED)
    .option(
      '--opening <factor>',
      'opening stock as a factor of all that the file takes out; 0.8 leaves orders short',
      parseFactor,
      1,
    );
}

/** The key of the flags or the environment; an empty variable counts as not set. */
export function hostOf({ url, apiKey }: HostFlags, signal?: AbortSignal, attempts = 3): HostClient {
  const { ONHAND_API_KEY, ONHAND_ADMIN_KEY } = process.env;
  return new HostClient({
    url,
    apiKey: apiKey || ONHAND_API_KEY || ONHAND_ADMIN_KEY || undefined,
    attempts,
    signal,
    client: 'cli',
  });
}

export function replayOptionsOf({
  speed,
  duplicate,
  shuffleWithin,
  seed,
  opening,
}: ReplayFlags): ReplayOptions {
  return { speed, duplicateShare: duplicate, shuffleWithinMs: shuffleWithin, seed, opening };
}

export function parseDuration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const durationMs = Number(amount) * (DURATION_UNITS_MS[unit] ?? NaN);
  if (durationMs <= LONGEST_SHUFFLE_MS) return durationMs;
  throw new InvalidArgumentError('Expected a time of at most 12h, such as 60s or 5m.');
}

export function parseShare(text: string): number {
  return numberWithin(text, 0, 1, 'a share from 0 to 1, such as 0.1');
}

export function parseFactor(text: string): number {
  return numberWithin(text, 0, 1_000_000, 'a number from 0, such as 1 or 0.8');
}

export function parseTime(text: string): string {
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  throw new InvalidArgumentError('Expected a time such as 2026-11-21T06:00:00Z.');
}

export function parseUnits(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of units.');
}

export function parseSeed(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 0 to 999999999.');
}

function numberWithin(text: string, least: number, most: number, expected: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Expected ${expected}.`);
}

function parseUrl(text: string): string {
  if (/^https?:$/.test(parsedUrl(text)?.protocol ?? '')) return text;
  throw new InvalidArgumentError(`Expected an address such as ${DEFAULT_URL}.`);
}
