import { existsSync } from 'node:fs';
import { type LiveSight, type LiveSummary, runLiveDemo } from '../../src/replay/live-demo';
import { eventually } from '../support/eventually';
import { HostClient } from '../support/host-client';

/** Two channels are enough to see that they share a stock; the command has four. */
const CHANNELS = { shop: '@onhand/generic-rest', shopify: '@onhand/shopify' };

describe('onhand demo --live', () => {
  test('sells on every channel until it is ended, and leaves nothing behind', async () => {
    const ended = new AbortController();
    const news: string[] = [];
    let sight: LiveSight | undefined;
    let orders = 0;
    const demo: Promise<LiveSummary> = runLiveDemo(
      { channels: CHANNELS, seed: 1, port: 3000, everyMs: 60, keep: false },
      {
        onNews: (text) => void news.push(text),
        onOpen: (opened) => (sight = opened),
        onOrder: (counts) => void (orders = counts.orders),
        signal: ended.signal,
      },
    );
    await eventually(() => expect(sight).toBeDefined(), 25_000);
    const api = new HostClient(sight!.url, sight!.key);
    await eventually(async () => {
      const { body } = await api.get<{ items: { channel: string | null }[] }>('/v1/oversells');
      expect(body.items).toEqual([]);
      const channels = await api.get<{ items: { name: string; state: string }[] }>('/v1/channels');
      expect(channels.body.items).toEqual([
        expect.objectContaining({ name: 'shop', state: 'ready' }),
        expect.objectContaining({ name: 'shopify', state: 'ready' }),
      ]);
      const { body: counts } = await api.get<Record<string, number>>('/v1/ledger');
      expect(JSON.stringify(counts)).toMatch(/RESERVE/);
      expect(orders).toBeGreaterThan(5);
    }, 15_000);
    ended.abort();
    const told = await demo;
    expect(told).toMatchObject({ quiet: true, verified: true });
    expect(told.orders).toBeGreaterThan(5);
    await expect(fetch(sight!.url)).rejects.toThrow();
    expect(news.filter((text) => existsSync(text.replace(/^kept /, '')))).toEqual([]);
  }, 90_000);
});
