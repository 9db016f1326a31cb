import { setTimeout as sleep } from 'node:timers/promises';
import type { HostClient } from './host-client';
import { HostProblemError } from './host.errors';

/** A channel as `GET /v1/channels` tells it. */
export interface ChannelStatus {
  name: string;
  plugin: string;
  mode: string;
  state: 'ready' | 'failed';
  error?: string;
  listings: number;
  dirty: number;
  /** Listings that the channel refused too often. */
  parkedListings?: number;
  inbox: { received: number; parked: number };
  parkedLines: number;
  openShortfalls: number;
}

export interface QuietOptions {
  /** Gives up when nothing moved for so long. */
  stalledAfterMs: number;
  onStatus: (status: ChannelStatus) => void;
  signal?: AbortSignal;
}

const POLL_EVERY_MS = 200;

/** @throws HostProblemError when the host has no such channel. */
export async function readChannel(host: HostClient, channel: string): Promise<ChannelStatus> {
  const { items } = await host.get<{ items: ChannelStatus[] }>('/v1/channels');
  const found = items.find(({ name }) => name === channel);
  if (found) return found;
  const names = items.map(({ name }) => name).join(', ') || 'none';
  const detail = `name one of its channels with --channel; it has ${names}`;
  throw new HostProblemError(404, 'not-found', `The host has no channel ${JSON.stringify(channel)}`, detail);
}

/** @throws HostProblemError when the channel is not served, or does not push everything. */
export async function readyChannel(host: HostClient, channel: string): Promise<ChannelStatus> {
  const status = await readChannel(host, channel);
  if (status.state === 'failed') {
    const detail = `${status.error ?? 'its plugin did not connect'}; correct it in onhand.yaml and start the host again`;
    throw new HostProblemError(503, 'channel-not-served', `The channel ${channel} is not served`, detail);
  }
  if (status.mode !== 'live') {
    const detail = `its mode is ${status.mode}, in which not every listing is pushed; set "mode: live" in onhand.yaml`;
    throw new HostProblemError(
      409,
      'not-live',
      `The channel ${channel} cannot be compared with the ledger`,
      detail,
    );
  }
  return status;
}

/**
 * Waits until every webhook is applied and every listing pushed. Answers the last status, which still has
 * something waiting when nothing moved for `stalledAfterMs`.
 */
export async function waitForQuiet(
  host: HostClient,
  channel: string,
  options: QuietOptions,
): Promise<ChannelStatus> {
  let movedAt = Date.now();
  let before = '';
  for (;;) {
    const status = await readChannel(host, channel);
    options.onStatus(status);
    if (isQuiet(status)) return status;
    const now = JSON.stringify([status.dirty, status.inbox]);
    if (now !== before) movedAt = Date.now();
    if (Date.now() - movedAt > options.stalledAfterMs) return status;
    before = now;
    await sleep(POLL_EVERY_MS, undefined, { signal: options.signal });
  }
}

export function isQuiet({ dirty, inbox }: ChannelStatus): boolean {
  return dirty === 0 && inbox.received === 0;
}
