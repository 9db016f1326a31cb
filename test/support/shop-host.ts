import { createHmac } from 'node:crypto';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator, SimulatorOptions, WebhookDelivery } from '../../src/channel-api';
import { GENERIC_REST_SOURCE, type HostSettings, startTestHost, type TestHost } from './host';
import type { Answer } from './host-client';

export const WEBHOOK_SECRET = 'canary-webhook-secret';

/** The plugin's own default is what a real shop stands, and would make tests wait. */
const UNLIMITED = { perSecond: 10_000, burst: 10_000 };

/** A host with one channel, `shop`, connected to a simulated shop over HTTP. */
export interface ShopHost extends TestHost {
  readonly shop: ChannelSimulator;
}

/** What the channel has beside its plugin and options, and what the host has beside its channel. */
export interface ShopSettings extends HostSettings {
  shop?: Record<string, unknown> & { listings?: string };
  /** Listed by the shop before the host starts, each showing 0. */
  shows?: string[];
  simulator?: Partial<SimulatorOptions>;
}

export async function startShopHost(
  { shop: channel, shows, simulator, ...settings }: ShopSettings,
  given?: Parameters<typeof startTestHost>[1],
): Promise<ShopHost> {
  const shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET, ...simulator });
  shop.list((shows ?? []).map((channelSku) => ({ channelSku, quantityUnits: 0 })));
  const { options, ...others } = channel ?? {};
  const host = await startTestHost(
    {
      ...settings,
      channels: [
        {
          name: 'shop',
          plugin: GENERIC_REST_SOURCE,
          options: { limit: UNLIMITED, ...shop.pluginOptions, ...(options as object) },
          ...others,
        },
        ...(settings.channels ?? []),
      ],
    },
    given,
  );
  return {
    ...host,
    shop,
    async close() {
      await host.close();
      await shop.close();
    },
  };
}

/** Sends a webhook to the channel as its marketplace would. */
export async function deliver(
  { api }: Pick<TestHost, 'api'>,
  { headers, body }: WebhookDelivery,
  channel = 'shop',
): Promise<Answer> {
  return api.withKey(undefined).send('POST', `/webhooks/${channel}`, { headers, body });
}

/** `channel_sku,sku,units` for each row, as the listings file has them. */
export function listingsCsv(rows: [channelSku: string, sku: string, units: number][]): string {
  return ['channel_sku,sku,units', ...rows.map((row) => row.join(','))].join('\n') + '\n';
}

/** A webhook with this body, signed as the shop signs. */
export function signedWebhook(order: object, secret = WEBHOOK_SECRET): WebhookDelivery {
  const body = Buffer.from(JSON.stringify(order));
  return {
    headers: {
      'content-type': 'application/json',
      'x-shop-topic': 'order/changed',
      'x-shop-signature': createHmac('sha256', secret).update(body).digest('hex'),
    },
    body,
  };
}
