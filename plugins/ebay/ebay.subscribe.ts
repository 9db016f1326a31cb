import {
  type ChannelLogger,
  ChannelProtocolError,
  ChannelRequestError,
  type ChannelHttpResponse,
} from 'onhand/channel-api';
import type { EbayCall, EbayClient } from './ebay.client';
import { hasError, wordsOf } from './ebay.errors';
import { type Json, partOf, partsOf, textIn } from './ebay.fields';
import type { WebhookOptions } from './ebay.options';

const API = '/commerce/notification/v1';
/** Each with what is missed without it. */
const TOPICS: Readonly<Record<string, string>> = {
  ORDER_CONFIRMATION: 'new orders come by poll alone',
  ITEM_MARKED_SHIPPED: 'shipments come by poll alone',
};
const MAX_PAGES = 50;
/** Error ids of the Notification API. */
const NO_CONFIG = 195026;
const CHALLENGE_FAILED = 195020;

/**
 * Registers what is missing: an address for eBay's alerts, this endpoint as a destination, and a subscription for
 * each topic. Destinations are the application's, and subscriptions to orders the seller's.
 */
export class EbaySubscriptions {
  constructor(
    private readonly client: EbayClient,
    private readonly options: WebhookOptions,
    private readonly log: ChannelLogger,
  ) {}

  /** Throws `ChannelRequestError` where eBay cannot reach the endpoint, and what `EbayClient` throws. */
  async subscribe(endpoint: string): Promise<void> {
    await this.configure(endpoint);
    const destinationId = await this.destination(endpoint);
    const known = await this.list('subscription', 'user');
    for (const [topicId, loss] of Object.entries(TOPICS)) {
      const existing = known.find((each) => each.topicId === topicId);
      await this.subscribeTo(topicId, loss, destinationId, existing);
    }
  }

  /** Where eBay tells a person that notifications fail; without it there are no subscriptions (error 195003). */
  private async configure(endpoint: string): Promise<void> {
    const call = { path: `${API}/config`, token: 'application' as const };
    const response = await this.client.send({ ...call, method: 'GET' });
    if (response.status === 200 && textIn(partOf(response.json()).alertEmail) !== undefined) return;
    if (response.status !== 200 && response.status !== 404 && !hasError(response, NO_CONFIG))
      throw unexpected('getConfig', response);
    const alertEmail = this.options.alertEmail ?? `postmaster@${new URL(endpoint).hostname}`;
    await this.done('updateConfig', { ...call, method: 'PUT', json: { alertEmail } });
  }

  private async destination(endpoint: string): Promise<string> {
    const { verificationToken } = this.options;
    const json = { name: 'onhand', status: 'ENABLED', deliveryConfig: { endpoint, verificationToken } };
    const token = 'application';
    const existing = (await this.list('destination', token)).find(
      (each) => partOf(each.deliveryConfig).endpoint === endpoint,
    );
    const id = textIn(existing?.destinationId);
    if (id === undefined) {
      const made = await this.done('createDestination', {
        method: 'POST',
        path: `${API}/destination`,
        json,
        token,
      });
      return idIn(made);
    }
    // Marked down by eBay after too many failures, or switched off by hand.
    if (existing!.status !== 'ENABLED')
      await this.done('updateDestination', { method: 'PUT', path: `${API}/destination/${id}`, json, token });
    return id;
  }

  private async subscribeTo(
    topicId: string,
    loss: string,
    destinationId: string,
    existing: Json | undefined,
  ): Promise<void> {
    if (existing?.status === 'ENABLED' && existing.destinationId === destinationId) return;
    const payload = {
      deliveryProtocol: 'HTTPS',
      format: 'JSON',
      schemaVersion: await this.versionOf(topicId),
    };
    const settings = { destinationId, status: 'ENABLED', payload };
    const id = textIn(existing?.subscriptionId);
    const response = await this.client.send({
      ...(id === undefined
        ? { method: 'POST' as const, path: `${API}/subscription`, json: { topicId, ...settings } }
        : { method: 'PUT' as const, path: `${API}/subscription/${id}`, json: settings }),
      answersForbidden: true,
    });
    if (response.status === 403)
      this.log.warn(`eBay does not let us subscribe to ${topicId} (${wordsOf(response)}): ${loss}`);
    else requireDone(`the subscription to ${topicId}`, response);
  }

  /** The newest that eBay does not call deprecated. */
  private async versionOf(topicId: string): Promise<string> {
    const topic = await this.client.read({
      method: 'GET',
      path: `${API}/topic/${topicId}`,
      token: 'application',
    });
    const versions = partsOf(topic.supportedPayloads)
      .filter(({ deprecated }) => deprecated !== true)
      .flatMap(({ schemaVersion }) => textIn(schemaVersion) ?? []);
    return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) ?? '1.0';
  }

  private async list(what: 'destination' | 'subscription', token: EbayCall['token']): Promise<Json[]> {
    const found: Json[] = [];
    let continuation: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = { limit: '100', ...(continuation !== undefined && { continuation_token: continuation }) };
      const body = await this.client.read({ method: 'GET', path: `${API}/${what}`, query, token });
      found.push(...partsOf(body[`${what}s`]));
      const next = textIn(body.next);
      continuation =
        next && (new URL(next, 'https://api.ebay.com').searchParams.get('continuation_token') ?? undefined);
      if (continuation === undefined) break;
    }
    return found;
  }

  private async done(name: string, call: EbayCall): Promise<ChannelHttpResponse> {
    return requireDone(name, await this.client.send(call));
  }
}

function requireDone(name: string, response: ChannelHttpResponse): ChannelHttpResponse {
  if (response.status >= 200 && response.status < 300) return response;
  if (hasError(response, CHALLENGE_FAILED))
    throw new ChannelRequestError(
      'eBay asked the webhook endpoint for proof and got another answer; let webhook.endpoint be the address that eBay reaches this host at, byte for byte the same as server.publicUrl/webhooks/<channel>',
    );
  throw unexpected(name, response);
}

function unexpected(name: string, response: ChannelHttpResponse): Error {
  return new ChannelProtocolError(`${name} was refused: ${wordsOf(response)}`);
}

/** What was made is named in the Location header. */
function idIn({ headers }: ChannelHttpResponse): string {
  const id = headers.location?.split('/').at(-1);
  if (id) return id;
  throw new ChannelProtocolError('createDestination answered without a Location header');
}
