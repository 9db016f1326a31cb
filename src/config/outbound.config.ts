import { isIP } from 'node:net';
import { parsedUrl } from '../channel-api/parsed-url';
import { TextList } from './field-rules';

/** Where plugins may connect to beside public addresses. */
export class OutboundConfig {
  /** Host names, addresses and CIDR ranges, each with a port where it is to be that port only. */
  @TextList(
    'a list of host names, addresses and ranges, such as [127.0.0.1, 10.1.0.0/16, "wms.internal:8443"]',
  )
  readonly allow: readonly string[] = [];
}

/** One entry of `outbound.allow`. `port` is undefined where any is meant. */
export type AllowedAddress =
  | { kind: 'name'; name: string; port?: number }
  | { kind: 'range'; network: string; prefix: number; family: 'ipv4' | 'ipv6'; port?: number };

const WHAT = 'a host name, an address or a range, such as wms.internal, 10.1.2.3:8080 or 10.1.0.0/16';
const NAME = /^[\p{L}\p{M}\p{N}_](?:[\p{L}\p{M}\p{N}_.-]*[\p{L}\p{M}\p{N}_])?\.?$/u;

/** Wider than the largest private range is a slip of the pen, and would open what nobody had in mind. */
const WIDEST = { ipv4: 8, ipv6: 7 };

/** Reads an entry of `outbound.allow`, or answers what was expected in its place. */
export function readAllowedAddress(text: string): AllowedAddress | string {
  if (text.includes('/')) return readRange(text);
  if (isIP(text) !== 0) return addressOf(text);
  const [, written = '', digits] = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/u.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return 'a port from 1 to 65535 behind the colon';
  const isBracketed = written.startsWith('[');
  const host = isBracketed ? written.slice(1, -1) : written;
  const kind = isIP(host);
  if (isBracketed ? kind === 6 : kind === 4) return addressOf(host, port);
  if (isBracketed || !NAME.test(host)) return WHAT;
  return nameOf(host, port);
}

/** A host name as addresses in the URLs of requests have it: lower case, Punycode, no dot at the end. */
export function plainName(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '');
}

function readRange(text: string): AllowedAddress | string {
  const [, network = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const range = isIP(network) === 0 ? WHAT : addressOf(network);
  if (typeof range === 'string' || range.kind !== 'range') return range;
  const [widest, prefix] = [WIDEST[range.family], Number(digits)];
  if (prefix < widest || prefix > range.prefix) {
    return `a range from /${widest} to /${range.prefix}; public addresses need no entry`;
  }
  return { ...range, prefix };
}

function addressOf(address: string, port?: number): AllowedAddress | string {
  if (address.includes('%')) return `${WHAT}, without a zone`;
  if (isIP(address) === 4) {
    return { kind: 'range', network: address, prefix: 32, family: 'ipv4', ...portOf(port) };
  }
  const { hostname } = new URL(`http://[${address}]`);
  if (hostname.startsWith('[::ffff:')) return 'the IPv4 address itself, without ::ffff: in front';
  return { kind: 'range', network: address, prefix: 128, family: 'ipv6', ...portOf(port) };
}

/** Some numbers are read as IPv4 addresses by every URL parser; a person would not see which is meant. */
function nameOf(host: string, port: number | undefined): AllowedAddress | string {
  const hostname = parsedUrl(`http://${host}`)?.hostname;
  if (hostname === undefined) return WHAT;
  if (isIP(hostname) !== 0) return `${hostname}, as that address is usually written`;
  return { kind: 'name', name: plainName(hostname), ...portOf(port) };
}

function portOf(port: number | undefined): { port?: number } {
  return port === undefined ? {} : { port };
}
