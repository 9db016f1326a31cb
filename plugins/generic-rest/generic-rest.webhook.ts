import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseJsonLossless, UntranslatableError } from 'onhand/channel-api';
import type { OrderDocument, WebhookRequest, WebhookVerdict } from 'onhand/channel-api';
import { fieldOf, readLabel } from './generic-rest.fields';
import type { GenericRestOptions, WebhookOptions } from './generic-rest.options';
import { translateOrder } from './generic-rest.translate';

/**
 * Accepts a body signed with the current or the previous secret, over the bytes as they arrived. One
 * signature only: a header sent twice arrives joined by a comma and has the wrong length. Never throws.
 */
export function verifyWebhook(request: WebhookRequest, options: WebhookOptions): WebhookVerdict {
  const header = request.headers[options.signatureHeader.toLowerCase()];
  if (typeof header !== 'string' || header === '') return refused(`no ${options.signatureHeader} header`);
  const given = decodeSignature(header, options);
  if (!given)
    return refused(
      `${options.signatureHeader} is not a ${options.algorithm} signature in ${options.encoding}`,
    );
  // Both are compared always, so that the time taken does not tell which secret is in use.
  const matches = [options.secret, options.previousSecret ?? options.secret].map((secret) =>
    timingSafeEqual(given, createHmac(options.algorithm, secret).update(request.body).digest()),
  );
  if (!matches.includes(true)) return refused('the signature does not match; check webhook.secret');
  const topic = readLabel({ value: request.headers[options.topicHeader.toLowerCase()], path: '' });
  return { verdict: 'accepted', topic: topic ?? 'order' };
}

/** Throws `UntranslatableError` when the body is not JSON, or not an order. */
export function translateWebhook(request: WebhookRequest, options: GenericRestOptions): OrderDocument[] {
  let body: unknown;
  try {
    // Bytes that are no UTF-8 would be replaced in silence, and two SKUs could become one.
    body = parseJsonLossless(new TextDecoder('utf-8', { fatal: true }).decode(request.body));
  } catch {
    // The parser's own message quotes the body, which holds the buyer's data.
    throw new UntranslatableError('the webhook body is not JSON in UTF-8');
  }
  const order = fieldOf({ value: body, path: '' }, options.webhook.orderPath);
  if (order.value === undefined) {
    throw new UntranslatableError(`the webhook has no "${order.path}"; check webhook.orderPath`);
  }
  return [translateOrder(order.value, options.orders.fields)];
}

/** Undefined unless the text is exactly one signature: Buffer.from skips what it does not understand. */
function decodeSignature(header: string, options: WebhookOptions): Buffer | undefined {
  if (!header.startsWith(options.prefix)) return undefined;
  const text = header.slice(options.prefix.length);
  const bytes = Buffer.from(text, options.encoding);
  const expectedBytes = options.algorithm === 'sha256' ? 32 : 64;
  const canonical = options.encoding === 'hex' ? text.toLowerCase() : text;
  return bytes.length === expectedBytes && bytes.toString(options.encoding) === canonical ? bytes : undefined;
}

function refused(reason: string): WebhookVerdict {
  return { verdict: 'refused', status: 401, reason };
}
