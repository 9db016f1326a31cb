import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseJsonLossless, UntranslatableError } from 'onhand/channel-api';
import { translateOrder } from './sample-shop.translate.js';

/**
 * Accepts what the shop signed: HMAC-SHA256 over the bytes as they arrived, in Base64. Never throws.
 * @param {import('onhand/channel-api').WebhookRequest} request
 * @param {import('./sample-shop.options.js').Options} options
 * @returns {import('onhand/channel-api').WebhookVerdict}
 */
export function verifyWebhook(request, { webhookSecret, previousWebhookSecret }) {
  const given = Buffer.from(request.headers['x-sample-shop-signature'] ?? '');
  // Both are compared always, so that the time taken does not tell which secret is in use.
  const matches = [webhookSecret, previousWebhookSecret ?? webhookSecret].map((secret) => {
    const expected = Buffer.from(createHmac('sha256', secret).update(request.body).digest('base64'));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (matches.includes(true)) return { verdict: 'accepted', topic: 'order' };
  return { verdict: 'refused', status: 401, reason: 'the signature does not match; check webhookSecret' };
}

/**
 * @param {import('onhand/channel-api').WebhookRequest} request
 * @returns {import('onhand/channel-api').OrderDocument[]}
 */
export function translateWebhook({ body }) {
  let order;
  try {
    order = parseJsonLossless(body.toString('utf8'));
  } catch {
    // The parser's own message quotes the body.
    throw new UntranslatableError('the webhook body is not JSON');
  }
  return [translateOrder(order)];
}
