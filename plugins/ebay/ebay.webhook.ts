import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  type ChannelClock,
  type ChannelDocument,
  isChannelError,
  UntranslatableError,
  type WebhookRequest,
  type WebhookVerdict,
} from 'onhand/channel-api';
import { type EbayClient, segmentOf } from './ebay.client';
import { bodyIn, idIn, type Json, listIn, objectIn, partOf, textIn } from './ebay.fields';
import type { WebhookOptions } from './ebay.options';

const ACCOUNT_DELETION = 'MARKETPLACE_ACCOUNT_DELETION';
/** Topics that name an order, each with where an order id may stand: not every topic's contract is public. */
const ORDER_TOPICS = [
  'ORDER_CONFIRMATION',
  'ITEM_MARKED_SHIPPED',
  'ORDER_CANCELLATION_ACTIVITY',
  'ORDER_RETURN_ACTIVITY',
];

const DIGESTS: Record<string, string> = {
  SHA1: 'sha1',
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
};
/** "One hour is recommended." */
const KEY_LIVES_MS = 3_600_000;
/** A key that is not known costs a call of the day's quota, and anybody can make one up. */
const LOOKUPS_A_MINUTE = 6;
const MOST_KEYS = 20;
const LONGEST_HEADER = 4_000;

interface PublicKey {
  key: KeyObject;
  digest: string;
  until: number;
}

/** Verifies notifications, as https://developer.ebay.com/api-docs/commerce/notification/overview.html says. */
export class EbayWebhooks {
  /** Where eBay sends notifications; what `subscribe` registered last, if this process did. */
  endpoint: string | undefined;
  private readonly keys = new Map<string, PublicKey>();
  private readonly asking = new Map<string, Promise<PublicKey | string>>();
  private lookups: number[] = [];

  constructor(
    private readonly client: EbayClient,
    private readonly options: WebhookOptions | undefined,
    private readonly clock: ChannelClock,
  ) {
    this.endpoint = options?.endpoint;
  }

  /** Over the bytes as they arrived. Refuses with 412, as eBay's own libraries do. */
  async verify(request: WebhookRequest): Promise<WebhookVerdict> {
    if (!this.options) return refused('the channel has no webhook options; set webhook.verificationToken');
    if (request.method === 'GET') return this.challenge(request);
    const header = signatureIn(request.headers['x-ebay-signature']);
    if (!header) return refused('there is no X-EBAY-SIGNATURE header, or it is none of eBay’s');
    const key = await this.publicKey(header.kid);
    if (typeof key === 'string') return refused(key);
    if (!isValid(request.body, header.signature, key)) return refused('the signature does not match');
    return accepted(request.body);
  }

  /** The endpoint proves that it knows the verification token. */
  private challenge({ path }: WebhookRequest): WebhookVerdict {
    const code = new URL(path, 'http://host').searchParams.get('challenge_code');
    const { verificationToken } = this.options!;
    if (code === null || code === '') return refused('there is no challenge_code');
    const hash = createHash('sha256').update(code).update(verificationToken).update(this.endpoint!);
    const body = JSON.stringify({ challengeResponse: hash.digest('hex') });
    return { verdict: 'challenge', status: 200, contentType: 'application/json', body };
  }

  /** Answers what is wrong where there is none. Whoever needs a key that is being asked for waits for that answer. */
  private publicKey(kid: string): PublicKey | string | Promise<PublicKey | string> {
    const now = this.clock.now().getTime();
    const known = this.keys.get(kid);
    if (known && known.until > now) return known;
    const asking = this.asking.get(kid) ?? this.ask(kid, now).finally(() => this.asking.delete(kid));
    this.asking.set(kid, asking);
    return asking;
  }

  private async ask(kid: string, now: number): Promise<PublicKey | string> {
    this.lookups = this.lookups.filter((at) => at > now - 60_000);
    if (this.lookups.length >= LOOKUPS_A_MINUTE) return 'too many keys were asked for; try again in a minute';
    this.lookups.push(now);
    try {
      const response = await this.client.send({
        method: 'GET',
        path: `/commerce/notification/v1/public_key/${segmentOf(kid)}`,
        token: 'application',
      });
      if (response.status !== 200) return 'eBay has no such key';
      const key = publicKeyIn(partOf(response.json()), now + KEY_LIVES_MS);
      if (this.keys.size >= MOST_KEYS) this.keys.clear();
      this.keys.set(kid, key);
      return key;
    } catch (error) {
      if (!isChannelError(error)) throw error;
      return `eBay's public key cannot be read now (${error.code}); the notification will be sent again`;
    }
  }
}

/** Which orders a notification tells of. Pure. Throws `UntranslatableError` where it is not what eBay documents. */
export function translateWebhook({ body }: WebhookRequest): ChannelDocument[] {
  const message = bodyIn(body);
  const topic = textIn(objectIn(message.metadata, 'metadata').topic);
  if (topic === undefined) throw new UntranslatableError('metadata.topic must be a text');
  const { data } = objectIn(message.notification, 'notification');
  if (!ORDER_TOPICS.includes(topic)) return [];
  const orderId = orderIdIn(objectIn(data, 'notification.data'));
  if (orderId !== undefined) return [{ kind: 'order-changed', orderId }];
  // Of a shipment eBay may name the listing alone: the next poll tells of the order.
  if (topic === 'ITEM_MARKED_SHIPPED') return [];
  throw new UntranslatableError('notification.data.order.orderId must be an id');
}

function orderIdIn(data: Json): string | undefined {
  const order = [data.order, data.itemMarkedShipped, data]
    .map(partOf)
    .find((part) => part.orderId !== undefined);
  if (!order) return undefined;
  if (order.orderLineItems !== undefined)
    listIn(order.orderLineItems, 'notification.data.order.orderLineItems');
  return idIn(order.orderId, 'notification.data.order.orderId');
}

/**
 * A notice that an eBay member's data has to be deleted concerns nobody here: of orders only their ids, lines
 * and counts are kept. It is acknowledged, as eBay and the law ask, and kept even less: it names the person.
 */
function accepted(body: Buffer): WebhookVerdict {
  const topic = topicIn(body);
  if (topic !== ACCOUNT_DELETION) return { verdict: 'accepted', topic };
  return { verdict: 'challenge', status: 200, contentType: 'application/json', body: '{}' };
}

function topicIn(body: Buffer): string {
  try {
    return textIn(partOf(bodyIn(body).metadata).topic) ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Base64 of `{alg, kid, signature, digest}`. Only its one canonical form: Buffer.from skips what it does not know. */
function signatureIn(header: string | undefined): { kid: string; signature: Buffer } | undefined {
  if (header === undefined || header.length > LONGEST_HEADER) return undefined;
  const json = base64In(header);
  try {
    const { kid, signature } = partOf(JSON.parse(json?.toString('utf8') ?? ''));
    const bytes = base64In(textIn(signature));
    return typeof kid === 'string' && /^[\w-]{1,64}$/.test(kid) && bytes
      ? { kid, signature: bytes }
      : undefined;
  } catch {
    return undefined;
  }
}

function base64In(text: string | undefined): Buffer | undefined {
  const bytes = Buffer.from(text ?? '', 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : undefined;
}

/** eBay's PEM has no line breaks, and is none without them. */
function publicKeyIn({ key, digest }: Json, until: number): PublicKey {
  const base64 = (textIn(key) ?? '').replace(/-----[^-]+-----/g, '').replace(/\s+/g, '');
  const lines = base64.match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n');
  const algorithm = DIGESTS[(textIn(digest) ?? '').replace('-', '').toUpperCase()] ?? 'sha1';
  return { key: createPublicKey(pem), digest: algorithm, until };
}

function isValid(body: Buffer, signature: Buffer, { key, digest }: PublicKey): boolean {
  try {
    return verify(digest, body, key, signature);
  } catch {
    return false;
  }
}

function refused(reason: string): WebhookVerdict {
  return { verdict: 'refused', status: 412, reason };
}
