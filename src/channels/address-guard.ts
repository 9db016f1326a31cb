import { BlockList, isIP } from 'node:net';
import { ChannelAddressError } from '../channel-api';
import { type AllowedAddress, plainName, readAllowedAddress } from '../config/outbound.config';

/** Where a request is meant to go: the URL's host, without brackets, and its port. */
export interface Target {
  hostname: string;
  port: number;
}

type Family = 'ipv4' | 'ipv6';

/**
 * IANA's special-purpose registries, and where a cloud keeps its metadata. Of several that hold an address
 * the first one names it. IPv6 is refused outside of 2000::/3 anyhow; ranges there only have a better name.
 */
const REFUSED: readonly [what: string, ...ranges: string[]][] = [
  ['a loopback address', '127.0.0.0/8', '::1/128'],
  ['a private address', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['a link-local address', '169.254.0.0/16', 'fe80::/10'],
  ['an address behind a carrier-grade NAT', '100.64.0.0/10'],
  ['an unspecified address', '0.0.0.0/8', '::/128'],
  ['a multicast address', '224.0.0.0/4', 'ff00::/8'],
  [
    'an address for documentation and benchmarks',
    ...['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '198.18.0.0/15'],
    ...['2001:db8::/32', '3fff::/20', '2001:2::/48'],
  ],
  [
    'an address that stands for another one',
    ...[
      '192.88.99.0/24',
      '::ffff:0:0/96',
      '::/96',
      '64:ff9b::/96',
      '64:ff9b:1::/48',
      '2001::/32',
      '2002::/16',
    ],
  ],
  ['a reserved address', '192.0.0.0/24', '240.0.0.0/4', '2001::/23'],
];

/** Whoever reaches one of these holds the machine's credentials. No range and no name opens them. */
const METADATA = [
  ...['169.254.169.254', '169.254.170.2', '169.254.170.23', '169.254.42.42'],
  ...['100.100.100.200', '168.63.129.16', '192.0.0.192'],
  ...['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fd00:42::42', 'fe80::a9fe:a9fe'],
  ...['64:ff9b::a9fe:a9fe', '64:ff9b::a83f:8110', '64:ff9b::6464:64c8'],
];
const METADATA_NAMES = ['metadata.google.internal', 'metadata.goog', 'instance-data.ec2.internal'];

/** A list of both families would take `::/8` for a range that holds every IPv4 address. */
class AddressList {
  private readonly lists = { ipv4: new BlockList(), ipv6: new BlockList() };

  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [network = '', prefix] = range.split('/');
      const family = familyOf(network) ?? 'ipv6';
      if (prefix === undefined) this.lists[family].addAddress(network, family);
      else this.lists[family].addSubnet(network, Number(prefix), family);
    }
  }

  /** IPv6 addresses that are mapped from IPv4 are looked for in both. */
  has(address: string, family: Family): boolean {
    return (
      this.lists[family].check(address, family) ||
      (family === 'ipv6' && this.lists.ipv4.check(address, family))
    );
  }
}

interface Entry {
  hosts: AddressList | string;
  isOneAddress: boolean;
  port: number | undefined;
}

const REFUSED_LISTS = REFUSED.map(([what, ...ranges]) => ({ what, list: new AddressList(ranges) }));
const METADATA_LIST = new AddressList(METADATA);
const GLOBAL_IPV6 = new AddressList(['2000::/3']);

/**
 * Says which addresses plugins may be connected to: public ones, and what `outbound.allow` names. It judges
 * addresses as the system has them, never how a URL spells them.
 */
export class AddressGuard {
  private readonly entries: readonly Entry[];

  /**
   * Takes entries that the configuration has found valid; throws `RangeError` on any other. `who` and `whom` are
   * for its messages: who connects, and to whom.
   */
  constructor(
    allow: readonly string[],
    private readonly who = 'plugins reach',
    private readonly whom = 'the channel',
  ) {
    this.entries = allow.map((text) => {
      const allowed = readAllowedAddress(text);
      if (typeof allowed === 'string') throw new RangeError(`outbound.allow expects ${allowed}`);
      return entryOf(allowed);
    });
  }

  /** Before anything is looked up. Throws `ChannelAddressError` when the name alone is refused. */
  checkName(target: Target): void {
    const name = plainName(target.hostname);
    if (!METADATA_NAMES.includes(name) || this.namedBy(target)) return;
    throw this.refusal(target, `${name} is a cloud's metadata service`, target.hostname);
  }

  /** Throws `ChannelAddressError` unless the target may be reached at `address`. */
  check(target: Target, address: string): void {
    const family = familyOf(address);
    if (family === undefined)
      throw this.refusal(target, `${JSON.stringify(address)} is no address`, target.hostname);
    const isMetadata = METADATA_LIST.has(address, family);
    if (this.entries.some((entry) => admits(entry, target, address, family, isMetadata))) return;
    const what = isMetadata ? "a cloud's metadata service" : whatIs(address, family);
    if (what === undefined) return;
    const isName = isIP(target.hostname) === 0;
    const of = isName ? `${address}, which ${plainName(target.hostname)} stands for,` : address;
    throw this.refusal(
      target,
      `${of} is ${what}`,
      isName && !isMetadata ? plainName(target.hostname) : address,
    );
  }

  private refusal({ port }: Target, why: string, host: string): ChannelAddressError {
    const entry = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
    return new ChannelAddressError(
      `${why}, and ${this.who} public addresses only; where this is ${this.whom}, add "${entry}" to outbound.allow in onhand.yaml`,
    );
  }

  private namedBy({ hostname, port }: Target): boolean {
    return this.entries.some(
      (entry) => entry.hosts === plainName(hostname) && (entry.port === undefined || entry.port === port),
    );
  }
}

function entryOf(allowed: AllowedAddress): Entry {
  const { kind, port } = allowed;
  if (kind === 'name') return { hosts: allowed.name, isOneAddress: false, port };
  const { network, prefix, family } = allowed;
  const isOneAddress = prefix === (family === 'ipv4' ? 32 : 128);
  return { hosts: new AddressList([`${network}/${prefix}`]), isOneAddress, port };
}

function admits(entry: Entry, target: Target, address: string, family: Family, isMetadata: boolean): boolean {
  if (entry.port !== undefined && entry.port !== target.port) return false;
  if (isMetadata && !entry.isOneAddress) return false;
  if (typeof entry.hosts === 'string') return entry.hosts === plainName(target.hostname);
  return entry.hosts.has(address, family);
}

/** What kind of address it is when it is not a public one. */
function whatIs(address: string, family: Family): string | undefined {
  const found = REFUSED_LISTS.find(({ list }) => list.has(address, family));
  if (found) return found.what;
  return family === 'ipv6' && !GLOBAL_IPV6.has(address, family) ? 'a reserved address' : undefined;
}

function familyOf(address: string): Family | undefined {
  const kind = isIP(address);
  return kind === 0 ? undefined : kind === 4 ? 'ipv4' : 'ipv6';
}
