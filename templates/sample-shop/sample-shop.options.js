import {
  defineOptions,
  IsNumber,
  IsOptional,
  IsString,
  IsUrl,
  Max,
  Min,
  MinLength,
} from 'onhand/channel-api';

/**
 * A channel's `options` in onhand.yaml.
 * @typedef {object} Options
 * @property {string} baseUrl
 * @property {string} token
 * @property {string} webhookSecret Key of the signatures of webhooks.
 * @property {string} [previousWebhookSecret] Accepted beside it while the shop changes over.
 * @property {number} callsPerSecond
 * @property {number} burst
 */

const url = { protocols: ['http', 'https'], require_protocol: true, require_tld: false };

/** @type {new () => Options} */
export const SampleShopOptions = defineOptions(
  {
    baseUrl: [IsUrl(url, { message: 'must be an http or https URL, such as https://shop.example' })],
    token: [IsString(), MinLength(8)],
    webhookSecret: [IsString(), MinLength(8)],
    previousWebhookSecret: [IsOptional(), IsString(), MinLength(8)],
    callsPerSecond: [IsNumber(), Min(0.01), Max(1_000)],
    burst: [IsNumber(), Min(1), Max(1_000)],
  },
  { callsPerSecond: 10, burst: 20 },
);
