import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { FaultProxy, type NetworkFault } from './fault-proxy';

test.each<NetworkFault[]>([
  ['refuse', 'lose-answers'],
  ['lose-answers', 'refuse'],
  ['refuse', 'reset'],
])('a proxy that has %s and %s at once passes everything on when it is healed of both', async (...faults) => {
  const shop = createServer((socket) => socket.end('here')).listen(0, '127.0.0.1');
  await once(shop, 'listening');
  const proxy = await FaultProxy.start((shop.address() as AddressInfo).port);
  try {
    for (const fault of faults) await proxy.begin(fault);
    for (const _ of faults) await proxy.heal();
    await expect(fetchText(proxy.port)).resolves.toBe('here');
  } finally {
    await proxy.close();
    shop.close();
  }
});

async function fetchText(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
