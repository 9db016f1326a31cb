import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ChannelSimulator } from '../channel-api/simulator';
import { fillDemoFolder } from './demo-folder';
import { parseOrders } from './order-file';

const file = parseOrders(
  Buffer.from(
    'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,Country\n1,A,A,1,2024-12-02 08:00,1,X\n',
  ),
  'one order',
);

/** The channel's entry in the onhand.yaml that is written for such a simulator. */
async function channelFor(locations: readonly string[]): Promise<{ locations?: object }> {
  const path = await mkdtemp(join(tmpdir(), 'onhand-demo-'));
  try {
    const simulator = {
      url: 'http://127.0.0.1:1',
      pluginOptions: {},
      locations,
    } as unknown as ChannelSimulator;
    await fillDemoFolder(path, { channel: 'shop', plugin: 'x', simulator, file, port: 1 });
    const { channels } = parse(await readFile(join(path, 'onhand.yaml'), 'utf8')) as { channels: [object] };
    return channels[0];
  } finally {
    await rm(path, { recursive: true });
  }
}

test('a channel that keeps stock by location has its first one mapped to ours, and another one none', async () => {
  expect(await channelFor(['101', '102'])).toMatchObject({ locations: { '101': 'main' } });
  expect(await channelFor([])).not.toHaveProperty('locations');
});
