import { type ChannelClock, type CheckResult, isChannelError } from 'onhand/channel-api';
import { type EbayCall, type EbayClient, segmentOf } from './ebay.client';
import { partOf } from './ebay.fields';
import type { EbayOptions } from './ebay.options';
import type { EbayQuotas } from './ebay.quotas';
import { CONSENT_WARNING_DAYS } from './ebay.tokens';

/** A key that ends sooner is told of: a new one has to be made and set by hand. */
const KEY_WARNING_DAYS = 30;
const DAY_SECONDS = 86_400;

interface Proof {
  /** What works where the call is answered. */
  proven: string;
  call: EbayCall;
}

interface Checked {
  client: EbayClient;
  quotas: EbayQuotas;
  clock: ChannelClock;
  /** Its name in onhand.yaml. */
  channel: string;
}

/** Proves credentials, each scope by a call that needs it, and what is set beside them. Never throws. */
export async function check(
  options: EbayOptions,
  { client, quotas, clock, channel }: Checked,
): Promise<CheckResult> {
  const findings: CheckResult['findings'] = [];
  const prove = async (work: () => Promise<string>) => {
    try {
      findings.push({ ok: true, message: await work() });
    } catch (error) {
      if (!isChannelError(error)) throw error;
      findings.push({ ok: false, message: error.message });
    }
  };
  const { consent } = client;
  if (consent) {
    const { isGiven, endsAt } = await consent.standing();
    // Each of the calls would fail for the same reason.
    if (!isGiven) {
      const message = `the seller has not consented yet: run "onhand authorize ${channel}"`;
      return { ok: false, findings: [{ ok: false, message }] };
    }
    if (endsAt) findings.push(consentFinding(endsAt, { channel, clock }));
  }
  for (const { proven, call } of proofsFor(options))
    await prove(async () => {
      await client.read(call);
      return proven;
    });
  await prove(async () => {
    const learned = await quotas.learn();
    return learned.length > 0
      ? `eBay says how many calls a day it takes: ${learned.join(', ')}`
      : 'eBay does not say how many calls a day it takes; those of options.quotas hold';
  });
  if (options.digitalSignature.enabled) await prove(() => keyFinding(options, client, clock));
  if (options.cancel.enabled)
    findings.push({
      ok: true,
      message:
        'orders may be cancelled: eBay counts each cancellation for want of stock as a defect of the seller',
    });
  return { ok: findings.every(({ ok }) => ok), findings };
}

function proofsFor({ environment, webhook, cancel }: EbayOptions): Proof[] {
  const get = (path: string, query: Record<string, string>): EbayCall => ({ method: 'GET', path, query });
  const stock = get('/sell/inventory/v1/inventory_item', { limit: '1', offset: '0' });
  const orders = get('/sell/fulfillment/v1/order', { limit: '1', offset: '0' });
  const subscriptions = get('/commerce/notification/v1/subscription', { limit: '10' });
  const cancellations = get('/post-order/v2/cancellation/search', { limit: '1', offset: '0' });
  return [
    { proven: 'credentials and the scope sell.inventory work', call: stock },
    { proven: 'the scope sell.fulfillment works', call: orders },
    ...(webhook ? [{ proven: 'the scope for notifications works', call: subscriptions }] : []),
    ...(cancel.enabled && environment === 'production'
      ? [{ proven: 'the Post-Order API takes the token', call: cancellations }]
      : []),
  ];
}

/** Nothing is wrong until it has ended, but it takes a person to do something. */
function consentFinding(
  endsAt: Date,
  { channel, clock }: Pick<Checked, 'channel' | 'clock'>,
): CheckResult['findings'][number] {
  const days = Math.floor((endsAt.getTime() - clock.now().getTime()) / (DAY_SECONDS * 1000));
  const again = `; run "onhand authorize ${channel}"`;
  if (days < 0) return { ok: false, message: `the seller’s consent has ended${again}` };
  const advice = days < CONSENT_WARNING_DAYS ? again : '';
  return { ok: true, message: `the seller’s consent ends in ${days} days${advice}` };
}

async function keyFinding(
  { digitalSignature: { signingKeyId } }: EbayOptions,
  client: EbayClient,
  clock: ChannelClock,
): Promise<string> {
  if (signingKeyId === undefined) {
    await client.key();
    return 'there is a key to sign refunds and cancellations with; name its signingKeyId to be told when it ends';
  }
  const path = `/developer/key_management/v1/signing_key/${segmentOf(signingKeyId)}`;
  const body = await client.read({ method: 'GET', path, token: 'application', at: 'apiz' });
  await client.key();
  const { expirationTime } = partOf(body);
  const days = Math.floor((Number(expirationTime) - clock.now().getTime() / 1000) / DAY_SECONDS);
  if (Number.isNaN(days)) return 'eBay knows the key to sign with';
  const advice = days < KEY_WARNING_DAYS ? '; make another one with createSigningKey and set it' : '';
  return `eBay knows the key to sign with; it ends in ${days} days${advice}`;
}
