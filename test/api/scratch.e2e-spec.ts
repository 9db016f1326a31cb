import { gzipSync } from 'node:zlib';
import { startShopHost, listingsCsv } from '../support/shop-host';
test('explore', async () => {
  const host = await startShopHost({ shows: ['A'], shop: { listings: listingsCsv([['A', 'A', 1]]) } });
  const out: string[] = [];
  await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 1000 });
  const r = (await host.api.post<{id: string}>('/v1/reservations', { lines: [{ sku: 'A', quantity: 5 }] })).body.id;
  const note = (name: string, a: { status: number; body: unknown }) => out.push(`${a.status} ${name} -> ${JSON.stringify(a.body).slice(0, 260)}`);
  const times = ['2024-01-01', '2024-01-01T00:00:00', '99999-01-01T00:00:00Z', '+099999-01-01T00:00:00Z', '-000001-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z','2024-01-31T00:00:00+99:00', '2024-02-31T00:00:00Z', '2023-02-29T00:00:00Z', '2024-W05-3T08:00:00Z', '2024-335T08:00:00Z', '20240101T000000Z', '2024-01-01T24:00:00Z', '2024-01-01T23:59:60Z', '2024-01-01T00Z', '2024-01-01T00:00Z', '2024-01-01T00:00:00,5Z', '2024-01-01T00:00:00.123456789Z', '2024-01-01T00:00:00+0200', '2024-01-01T00:00:00+02', '2024-01T00:00:00Z', '2024T00:00:00Z','2099-01-01T00:00:00Z', '1969-01-01T00:00:00Z', 'T00:00:00Z', 'now', '2024-01-01t00:00:00z','2024-01-01T00:00:00+24:00','2024-01-01T00:00:00-23:59','2024-13-01T00:00:00Z','2024-00-10T00:00:00Z', '2024-01-01T25:00:00Z', '9999-12-31T23:59:59Z'];
  for (const t of times) {
    note(`event ${t}`, await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 1, occurredAt: t }));
    note(`fulfil ${t}`, await host.api.post(`/v1/reservations/${r}/fulfil`, { lines: [{ sku: 'A', quantity: 1 }], occurredAt: t }));
    note(`asOf ${t}`, await host.api.get(`/v1/stock/A?asOf=${encodeURIComponent(t)}`));
    note(`knownAt ${t}`, await host.api.get(`/v1/stock/A?knownAt=${encodeURIComponent(t)}`));
  }
  const big = Buffer.from('999999999999999').toString('base64url');
  const neg = Buffer.from('-1').toString('base64url');
  for (const p of ['/v1/skus?', '/v1/stock?', '/v1/stock/A/events?', '/v1/shortfalls?', '/v1/parked/webhooks?', '/v1/parked/lines?', '/v1/channels/shop/listings?', '/v1/channels/shop/drifts?', '/v1/channels/shop/reconciliations?', '/v1/listings/1/pushes?'])
    for (const q of [`cursor=${big}`, `cursor=${neg}`, 'cursor=', 'cursor=!!', 'cursor=a&cursor=b', 'limit=0', 'limit=501', 'limit=-1', 'limit=1.5', 'limit=abc', 'limit=', 'limit=1e2', 'limit=0x10', 'limit= 5', 'limit=NaN', 'limit=1&limit=2', 'limit[]=1', 'limit[a]=1', 'unknown=1', '__proto__=1', 'constructor=1', '__proto__[a]=1', 'limit=true', 'sku=', 'sku=A&sku=B', 'sku=,', 'sku=%00', 'sku=%0d%0a', 'sku=%ff', 'state=closed', 'limit=1%00'])
      note(`${p}${q}`, await host.api.get(p + q));
  for (const p of ['/v1/listings/99999999999/pushes', '/v1/listings/99999999999/waterfall', '/v1/listings/-1/pushes', '/v1/listings/1.5/pushes', '/v1/listings/1e3/pushes', '/v1/listings/abc/pushes', '/v1/listings/99999999999999999999/pushes', '/v1/listings/77/pushes', '/v1/stock/%ff', '/v1/stock/%E0%A4%A', '/v1/stock/%C0%80', '/v1/stock/a%0d%0ab', '/v1/stock/' + 'x'.repeat(5000), '/v1/stock/A/../B', '/v1/availability', '/v1/availability?sku=' + 'A,'.repeat(300), '/v1/availability?sku=A&channel=', '/v1/availability?sku=%00', '/v1/availability?sku=constructor,__proto__', '/v1/availability?sku=A&channel=constructor', '/v1/channels/constructor/listings', '/v1/channels/__proto__/drifts', '/v1/stock/A?asOf=', '/v1/stock/constructor', '/v1/stock/A?asOf=2024-01-01T00:00:00Z&knownAt=2024-01-01T00:00:00Z'])
    note(p.slice(0, 80), await host.api.get(p));
  for (const id of ['x', '1', '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-00000000000g']) note(`delete key ${id}`, await host.api.delete(`/v1/keys/${id}`));
  const raw = async (name: string, path: string, body: string | Uint8Array, headers: Record<string, string> = { 'content-type': 'application/json' }) => note(`${name} ${path}`, await host.api.send('POST', path, { headers, body }));
  for (const p of ['/v1/skus', '/v1/locations', '/v1/events', '/v1/reservations', `/v1/reservations/${r}/fulfil`, '/v1/keys', `/v1/reservations/${r}/confirm`]) {
    await raw('array', p, '[]'); await raw('array of array', p, '[[]]'); await raw('array1', p, '[{}]'); await raw('null', p, 'null'); await raw('string', p, '"a"'); await raw('number', p, '1'); await raw('empty', p, ''); await raw('spaces', p, '   ');
    await raw('NaN', p, '{"quantity":NaN}'); await raw('cut', p, '{"a":'); await raw('deep', p, '['.repeat(100000) + ']'.repeat(100000)); await raw('deepobj', p, '{"a":'.repeat(100000) + '1' + '}'.repeat(100000));
    await raw('text/plain', p, '{"lines":[{"sku":"A","quantity":1}],"sku":"A"}', { 'content-type': 'text/plain' });
    await raw('form', p, 'sku=A', { 'content-type': 'application/x-www-form-urlencoded' });
    await raw('no type', p, new TextEncoder().encode('{"sku":"A"}'), {});
    await raw('utf16', p, Buffer.from('{"sku":"A"}', 'utf16le'), { 'content-type': 'application/json; charset=utf-16' });
    await raw('latin1', p, '{"sku":"A"}', { 'content-type': 'application/json; charset=latin1' });
    await raw('badutf8', p, Buffer.from([0x7b, 0x22, 0x73, 0x6b, 0x75, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]));
    await raw('gzip', p, gzipSync('{"sku":"GZ"}'), { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    await raw('badgzip', p, '{"sku":"GZ"}', { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    await raw('bomb', p, gzipSync(Buffer.alloc(5_000_000, 0x20)), { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    await raw('enc', p, '{"sku":"GZ"}', { 'content-type': 'application/json', 'content-encoding': 'zstd' });
    await raw('big', p, JSON.stringify({ sku: 'x'.repeat(5_000_000) }));
    await raw('proto', p, '{"__proto__":{"sku":"A"}}'); await raw('ctor', p, '{"constructor":{"prototype":{}}}');
    await raw('bom', p, '\ufeff{"sku":"A"}');
    await raw('dup', p, '{"sku":"A","sku":"B"}');
  }
  console.log(out.join('\n'));
  await host.close();
}, 60000);
