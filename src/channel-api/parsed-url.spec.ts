import { parsedUrl } from './parsed-url';

/** By then the engine has optimized what is called so often. */
const OFTEN = 50_000;

test.each([
  ['http://shop.example/', 'shop.example'],
  ['http://müller.example/größe', 'xn--mller-kva.example'],
  ['http://ｓｈｏｐ.example/', 'shop.example'],
])('%s is read, however often', (text, host) => {
  const hosts = new Set<string | undefined>();
  for (let time = 0; time < OFTEN; time++) hosts.add(parsedUrl(text)?.host);
  expect([...hosts]).toEqual([host]);
});

test.each(['', 'shop', '//shop.example', 'http://', 'http://[::1', 'http://shop example/'])(
  '%j is none',
  (text) => expect(parsedUrl(text)).toBeUndefined(),
);
