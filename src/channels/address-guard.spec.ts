import fc from 'fast-check';
import { isChannelError } from '../channel-api';
import { AddressGuard } from './address-guard';

/** Why the guard refuses the address; undefined when it does not. */
function refusalOf(
  address: string,
  { allow = [], hostname = address, port = 80 }: { allow?: string[]; hostname?: string; port?: number } = {},
): string | undefined {
  try {
    new AddressGuard(allow).check({ hostname, port }, address);
    return undefined;
  } catch (error) {
    if (!isChannelError(error)) throw error;
    expect(error).toMatchObject({ code: 'channel-address', retryable: false });
    return error.message;
  }
}

/** First and last address of what IANA's registries do not call globally reachable, as numbers. */
const NOT_PUBLIC_IPV4: [first: number, last: number][] = [
  [0x00_00_00_00, 0x00_ff_ff_ff],
  [0x0a_00_00_00, 0x0a_ff_ff_ff],
  [0x64_40_00_00, 0x64_7f_ff_ff],
  [0x7f_00_00_00, 0x7f_ff_ff_ff],
  [0xa9_fe_00_00, 0xa9_fe_ff_ff],
  [0xac_10_00_00, 0xac_1f_ff_ff],
  [0xc0_00_00_00, 0xc0_00_00_ff],
  [0xc0_00_02_00, 0xc0_00_02_ff],
  [0xc0_58_63_00, 0xc0_58_63_ff],
  [0xc0_a8_00_00, 0xc0_a8_ff_ff],
  [0xc6_12_00_00, 0xc6_13_ff_ff],
  [0xc6_33_64_00, 0xc6_33_64_ff],
  [0xcb_00_71_00, 0xcb_00_71_ff],
  [0xe0_00_00_00, 0xff_ff_ff_ff],
  // Azure's host agent answers here, in a public range.
  [0xa8_3f_81_10, 0xa8_3f_81_10],
];

/** The first two groups of what is public, and of the parts of it that are not. */
const isPublicIpv6 = (first: number, second: number): boolean =>
  first >= 0x2000 &&
  first <= 0x3fff &&
  !(first === 0x2001 && (second < 0x0200 || second === 0x0db8)) &&
  first !== 0x2002 &&
  !(first === 0x3fff && second < 0x1000);

const ipv4Of = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
const isPublicIpv4 = (number: number): boolean =>
  NOT_PUBLIC_IPV4.every(([first, last]) => number < first || number > last);

describe('every address', () => {
  test('of IPv4 at the edge of a range is on the right side of it', () => {
    const edges = NOT_PUBLIC_IPV4.flat().flatMap((edge) => [edge - 1, edge, edge + 1]);
    for (const number of edges.filter((edge) => edge >= 0 && edge <= 0xff_ff_ff_ff)) {
      const refused = refusalOf(ipv4Of(number)) !== undefined;
      expect(`${ipv4Of(number)} ${refused}`).toBe(`${ipv4Of(number)} ${!isPublicIpv4(number)}`);
    }
  });

  test('of IPv4 is refused exactly when it is not public, plain and mapped into IPv6', () => {
    const near = fc
      .tuple(fc.constantFrom(...NOT_PUBLIC_IPV4.flat()), fc.integer({ min: -300, max: 300 }))
      .map(([edge, by]) => Math.min(Math.max(edge + by, 0), 0xff_ff_ff_ff));
    fc.assert(
      fc.property(fc.oneof(fc.nat(0xff_ff_ff_ff), near), (number) => {
        expect(refusalOf(ipv4Of(number)) === undefined).toBe(isPublicIpv4(number));
        expect(refusalOf(`::ffff:${ipv4Of(number)}`)).toBeDefined();
      }),
      { numRuns: 5_000 },
    );
  });

  test('of IPv6 is refused exactly when it is not public', () => {
    const group = fc.nat(0xffff);
    const first = fc.oneof(
      group,
      fc.constantFrom(0, 0x64, 0x100, 0x1fff, 0x2000, 0x2001, 0x2002, 0x3ffe, 0x3fff, 0x4000, 0xfc00, 0xfe80),
    );
    const second = fc.oneof(
      group,
      fc.constantFrom(0, 0x01ff, 0x0200, 0x0db7, 0x0db8, 0x0db9, 0x0fff, 0x1000, 0xff9b),
    );
    const rest = fc.oneof(fc.array(group, { minLength: 6, maxLength: 6 }), fc.constant([0, 0, 0, 0, 0, 1]));
    fc.assert(
      fc.property(first, second, rest, (one, two, others) => {
        const address = [one, two, ...others].map((each) => each.toString(16)).join(':');
        expect(refusalOf(address) === undefined).toBe(isPublicIpv6(one, two));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(['', 'localhost', '127.1', '0177.0.0.1', '1.2.3.4.', '1.2.3.4/8', '[::1]', '8.8.8.8 '])(
    '%j is none, and refused',
    (text) => expect(refusalOf(text)).toContain('is no address'),
  );

  test('of IPv6 with a zone is judged as it is without', () => {
    expect(refusalOf('fe80::1%eth0')).toBeDefined();
    expect(refusalOf('::1%lo')).toBeDefined();
  });
});

test.each([
  ['127.0.0.1', 'a loopback address'],
  ['::1', 'a loopback address'],
  ['::ffff:7f00:1', 'a loopback address'],
  ['10.0.0.1', 'a private address'],
  ['172.31.255.255', 'a private address'],
  ['192.168.1.1', 'a private address'],
  ['fd12:3456::1', 'a private address'],
  ['fec0::1', 'a private address'],
  ['169.254.1.1', 'a link-local address'],
  ['fe80::1', 'a link-local address'],
  ['100.64.0.1', 'an address behind a carrier-grade NAT'],
  ['0.0.0.0', 'an unspecified address'],
  ['::', 'an unspecified address'],
  ['224.0.0.1', 'a multicast address'],
  ['ff02::1', 'a multicast address'],
  ['203.0.113.7', 'an address for documentation and benchmarks'],
  ['2001:db8::1', 'an address for documentation and benchmarks'],
  ['198.19.0.1', 'an address for documentation and benchmarks'],
  ['::ffff:8.8.8.8', 'an address that stands for another one'],
  ['::127.0.0.1', 'an address that stands for another one'],
  ['64:ff9b::7f00:1', 'an address that stands for another one'],
  ['64:ff9b:1::a00:1', 'an address that stands for another one'],
  ['2002:7f00:1::', 'an address that stands for another one'],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'an address that stands for another one'],
  ['255.255.255.255', 'a reserved address'],
  ['100::1', 'a reserved address'],
  ['169.254.169.254', "a cloud's metadata service"],
  ['::ffff:169.254.169.254', "a cloud's metadata service"],
  ['fd00:ec2::254', "a cloud's metadata service"],
  ['100.100.100.200', "a cloud's metadata service"],
  ['168.63.129.16', "a cloud's metadata service"],
])('%s is refused as %s', (address, what) => {
  expect(refusalOf(address)).toContain(`${address} is ${what}, and plugins reach public addresses only`);
});

describe('what is allowed by name', () => {
  const at = (hostname: string, port: number, address = hostname) => ({ hostname, port, address });

  test.each([
    [['127.0.0.1'], at('127.0.0.1', 80)],
    [['127.0.0.1'], at('localhost', 8080, '127.0.0.1')],
    [['127.0.0.1'], at('::ffff:7f00:1', 80)],
    [['127.0.0.1:8080'], at('127.0.0.1', 8080)],
    [['::1'], at('::1', 80)],
    [['[::1]'], at('::1', 80)],
    [['[0:0::1]:8080'], at('::1', 8080)],
    [['10.1.0.0/16'], at('wms.internal', 80, '10.1.255.255')],
    [['10.1.2.3/16'], at('10.1.0.1', 80)],
    [['fd00::/8'], at('fd12::1', 80)],
    [['64:ff9b::/96'], at('shop.example', 443, '64:ff9b::808:808')],
    [['wms.internal'], at('wms.internal', 80, '10.0.0.1')],
    [['WMS.Internal.'], at('wms.internal', 80, '192.168.0.1')],
    [['wms.internal'], at('WMS.internal.', 80, '127.0.0.1')],
    [['wms.internal:8443'], at('wms.internal', 8443, 'fd00::1')],
    [['lager.bücher.example'], at('lager.xn--bcher-kva.example', 80, '10.0.0.1')],
    [['8.8.8.8:1', 'wms.internal'], at('8.8.8.8', 80)],
    [['169.254.169.254'], at('169.254.169.254', 80)],
    [['169.254.169.254/32'], at('::ffff:a9fe:a9fe', 80)],
  ])('%j lets %j through', (allow, { hostname, port, address }) => {
    expect(refusalOf(address, { allow, hostname, port })).toBeUndefined();
  });

  test.each([
    [['127.0.0.2'], at('127.0.0.1', 80)],
    [['127.0.0.1'], at('::1', 80)],
    [['127.0.0.1:8080'], at('127.0.0.1', 8081)],
    [['[::1]:8080'], at('::1', 80)],
    [['::/8'], at('10.0.0.1', 80)],
    [['10.1.0.0/16'], at('10.2.0.0', 80)],
    [['wms.internal'], at('10.0.0.1', 80)],
    [['wms.internal'], at('a.wms.internal', 80, '10.0.0.1')],
    [['wms.internal'], at('wms.internal.example', 80, '10.0.0.1')],
    [['wms.internal:8443'], at('wms.internal', 443, '10.0.0.1')],
    [['169.254.0.0/16'], at('169.254.169.254', 80)],
    [['100.64.0.0/10'], at('100.100.100.200', 80)],
    [['fd00::/8'], at('fd00:ec2::254', 80)],
    [['64:ff9b::/96'], at('64:ff9b::a9fe:a9fe', 80)],
    [['wms.internal'], at('wms.internal', 80, '169.254.169.254')],
    [['metadata.google.internal'], at('metadata.google.internal', 80, '169.254.169.254')],
  ])('%j does not let %j through', (allow, { hostname, port, address }) => {
    expect(refusalOf(address, { allow, hostname, port })).toBeDefined();
  });

  test('a refusal names the entry that would allow it', () => {
    const message = refusalOf('10.0.0.1', { hostname: 'WMS.internal.', port: 8443 });
    expect(message).toContain('10.0.0.1, which wms.internal stands for, is a private address');
    expect(message).toContain('add "wms.internal:8443" to outbound.allow in onhand.yaml');
    expect(
      refusalOf('10.0.0.1', { hostname: 'wms.internal', port: 8443, allow: ['wms.internal:8443'] }),
    ).toBe(undefined);
    expect(refusalOf('::1', { port: 8080 })).toContain('add "[::1]:8080"');
    expect(refusalOf('169.254.169.254', { hostname: 'a.example' })).toContain('add "169.254.169.254:80"');
  });

  test('the names of metadata services are refused before they are looked up', () => {
    const target = { hostname: 'Metadata.Google.Internal.', port: 80 };
    expect(() => new AddressGuard([]).checkName(target)).toThrow(/metadata service/);
    expect(() => new AddressGuard(['metadata.google.internal']).checkName(target)).not.toThrow();
    expect(() => new AddressGuard([]).checkName({ hostname: 'shop.example', port: 80 })).not.toThrow();
  });
});
