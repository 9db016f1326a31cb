import { Address, List, Mapping, Nullable, OneOf, TextLike, TextList, WholeNumber } from './field-rules';
import type { KeyPath } from './key-path';
import { suggest } from './suggestion';

/** Everything that receivers can be told; docs/events.md shows what each of them carries. */
export const OUTBOUND_EVENTS = [
  'stock.changed',
  'reservation.held',
  'reservation.confirmed',
  'reservation.fulfilled',
  'reservation.released',
  'reservation.expired',
  'drift.found',
  'drift.escalated',
  'drift.resolved',
  'alert.opened',
  'alert.reminded',
  'alert.acknowledged',
  'alert.resolved',
] as const;
export type OutboundEventType = (typeof OUTBOUND_EVENTS)[number];

export type ReceiverKind = 'webhook' | 'slack' | 'email';

/** The mail server that carries a receiver's mails. */
export class SmtpConfig {
  /** Needed where the kind is email. */
  @TextLike(/^[^\s/]*$/, 'the name of a mail server, such as smtp.example.com')
  readonly host: string = '';

  @WholeNumber(1, 65_535)
  readonly port: number = 587;

  /** `starttls` insists on it; `none` is for a relay on this machine or in its network. */
  @OneOf('starttls', 'tls', 'none')
  readonly security: 'starttls' | 'tls' | 'none' = 'starttls';

  @Nullable()
  @TextLike(/\S/, 'the name to sign in with')
  readonly user: string | null = null;

  @Nullable()
  @TextLike(/\S/, 'a password, best as ${SMTP_PASSWORD}')
  readonly password: string | null = null;

  @TextLike(/^[^\p{Cc}]*$/u, 'an address, such as "Onhand <onhand@example.com>"')
  readonly from: string = '';
}

/** Somebody outside who is told of events. */
export class ReceiverConfig {
  @TextLike(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'a name of 1 to 63 lower-case letters, digits and dashes, not starting with a dash',
  )
  readonly name: string = '';

  @OneOf('webhook', 'slack', 'email')
  readonly kind: ReceiverKind = 'webhook';

  /** Names of events and patterns such as `alert.*`. */
  @TextList('a list of events, such as [alert.*, stock.changed]')
  readonly events: readonly string[] = [];

  /** Only what concerns one of these channels; empty for everything. */
  @TextList('a list of channels, such as [shopify-uk]')
  readonly channels: readonly string[] = [];

  /** Only what concerns a SKU with one of these tags; empty for everything. */
  @TextList('a list of SKU tags, such as [fragile]')
  readonly tags: readonly string[] = [];

  /** Of a webhook or of Slack's incoming webhook, which is a secret in itself. */
  @Nullable()
  @Address(['http:', 'https:'], 'an http or https address, best as ${RECEIVER_URL}')
  readonly url: string | null = null;

  /** What a webhook is signed with. Several for as long as one replaces another: each signs. */
  @List('a list of secrets, such as ["${RECEIVER_SECRET}"]')
  readonly secrets: readonly string[] = [];

  @Mapping()
  readonly smtp: SmtpConfig = new SmtpConfig();

  /** To whom mails go. */
  @TextList('a list of addresses, such as [ops@example.com]')
  readonly to: readonly string[] = [];
}

/** How receivers are told, and for how long it is remembered. */
export class DeliveriesConfig {
  /** How soon what a crash or a failure left behind is sent again. */
  @WholeNumber(1, 3_600)
  readonly sweepEverySeconds: number = 5;

  /** A receiver that has not answered by then has failed. */
  @WholeNumber(1, 60)
  readonly timeoutSeconds: number = 15;

  /** How long deliveries that are over can be looked at. */
  @WholeNumber(1, 365)
  readonly keepDays: number = 30;
}

export interface ReceiverFault {
  path: KeyPath;
  expected: string;
  /** Absent where it may be a secret. */
  found?: string;
}

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const SECRET_EXPECTED =
  'a Standard Webhooks secret: whsec_ and 24 to 64 random bytes in base64, such as "whsec_$(openssl rand -base64 32)" makes';
const MAIL_ADDRESS = /^[^\s@<>,;\p{Cc}]+@[^\s@<>,;\p{Cc}]+$/u;

/** The rules of a receiver that look at more than one field. */
export function receiverFaults(receiver: ReceiverConfig, channels: readonly string[]): ReceiverFault[] {
  const { kind, events } = receiver;
  return [
    ...(events.length === 0
      ? [{ path: ['events'], expected: 'at least one event, such as alert.*', found: 'none' }]
      : []),
    ...events.flatMap((pattern, index) => patternFaults(pattern, index)),
    ...receiver.channels.flatMap((name, index) =>
      channels.includes(name)
        ? []
        : [{ path: ['channels', index], expected: 'the name of a channel under "channels"', found: name }],
    ),
    ...(kind === 'email' ? mailFaults(receiver) : urlFaults(receiver)),
    ...(kind === 'webhook' ? secretFaults(receiver.secrets) : []),
  ];
}

/** True when a receiver's pattern, such as `alert.*` or `*`, names the event. */
export function namesEvent(pattern: string, event: string): boolean {
  if (pattern === '*' || pattern === event) return true;
  return pattern.endsWith('.*') && event.startsWith(pattern.slice(0, -1));
}

function patternFaults(pattern: string, index: number): ReceiverFault[] {
  if (OUTBOUND_EVENTS.some((event) => namesEvent(pattern, event))) return [];
  const meant = suggest(pattern, OUTBOUND_EVENTS);
  const expected =
    meant === undefined
      ? `one of ${OUTBOUND_EVENTS.join(', ')}, or alert.* and the like`
      : `an event; did you mean ${meant}?`;
  return [{ path: ['events', index], expected, found: pattern }];
}

function urlFaults({ url, kind }: ReceiverConfig): ReceiverFault[] {
  return url === null ? [{ path: ['url'], expected: `an address, because the kind is ${kind}` }] : [];
}

function secretFaults(secrets: readonly string[]): ReceiverFault[] {
  if (secrets.length === 0)
    return [
      { path: ['secrets'], expected: `at least one secret, because the kind is webhook: ${SECRET_EXPECTED}` },
    ];
  return secrets.flatMap((secret, index) => {
    const bytes = Buffer.from(SECRET.exec(String(secret))?.[1] ?? '', 'base64').length;
    return bytes >= 24 && bytes <= 64 ? [] : [{ path: ['secrets', index], expected: SECRET_EXPECTED }];
  });
}

function mailFaults({ smtp, to }: ReceiverConfig): ReceiverFault[] {
  const faults: ReceiverFault[] = [];
  if (smtp.host === '')
    faults.push({ path: ['smtp', 'host'], expected: 'a mail server, because the kind is email' });
  if (smtp.from.trim() === '')
    faults.push({ path: ['smtp', 'from'], expected: 'the address that mails come from' });
  if ((smtp.user === null) !== (smtp.password === null))
    faults.push({ path: ['smtp'], expected: 'user and password together, or neither' });
  if (smtp.security === 'none' && smtp.password !== null)
    faults.push({
      path: ['smtp', 'security'],
      expected: 'starttls or tls, because a password is sent',
      found: 'none',
    });
  if (to.length === 0)
    faults.push({ path: ['to'], expected: 'at least one address, because the kind is email' });
  to.forEach((address, index) => {
    if (!MAIL_ADDRESS.test(address))
      faults.push({ path: ['to', index], expected: 'an address such as ops@example.com', found: address });
  });
  return faults;
}
