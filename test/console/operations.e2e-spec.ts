import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { type EbaySimulator, startSimulator as startEbay } from '../../plugins/ebay/simulator';
import { describeWithBrowser, startBrowser } from '../support/browser';
import { findingsInEveryLight, openConsole, seriousFindings, type SignedInConsole } from '../support/console';
import { eventually } from '../support/eventually';
import { ADMIN_KEY } from '../support/host';
import {
  deliver,
  listingsCsv,
  type ShopHost,
  signedWebhook,
  startShopHost,
  WEBHOOK_SECRET,
} from '../support/shop-host';
import { answers, WebhookReceiver } from '../support/webhook-receiver';

const EBAY_PLUGIN = join(__dirname, '../../plugins/ebay/ebay.plugin.ts');
/** As Standard Webhooks writes a secret. */
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** Five pages of the shop's list, so that a comparison comes to its end step by step. */
const SKUS = Array.from({ length: 450 }, (_, index) => `SKU-${String(index + 1).padStart(3, '0')}`);

describeWithBrowser('the console of who runs the host', () => {
  let receiver: WebhookReceiver;
  let ebay: EbaySimulator;
  let host: ShopHost;
  let browser: Browser;
  let shown: SignedInConsole;

  beforeAll(async () => {
    receiver = await WebhookReceiver.start();
    ebay = await startEbay({ webhookSecret: 'unused' });
    const { refreshToken: _, webhook: __, ...options } = ebay.pluginOptions as Record<string, unknown>;
    host = await startShopHost(
      {
        shows: SKUS,
        shop: { listings: listingsCsv(SKUS.map((sku) => [sku, sku, 1])) },
        // Whose owner has not consented yet; it has nothing to push.
        channels: [
          {
            ...{ name: 'ebay', plugin: EBAY_PLUGIN, mode: 'observe', pollOrdersEverySeconds: 86_400 },
            options: { ...options, ruName: 'Acme-RuName' },
          },
        ],
        alerts: { everySeconds: 1, clearAfterSeconds: 0, rules: { oversellSeconds: { max: 0 } } },
        receivers: [
          { name: 'desk', kind: 'webhook', url: receiver.url, secrets: [SECRET], events: ['alert.*'] },
        ],
        deliveries: { sweepEverySeconds: 1 },
      },
      { env: { ONHAND_SECRET_KEYS: randomBytes(32).toString('base64') } },
    );
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await host?.close();
    await ebay?.close();
    await receiver?.close();
  });

  afterEach(async () => {
    host.shop.faults({ slow: 0 });
    await shown?.context.close();
  });

  test('a long task shows how far it is, is cancelled, and leaves its report', async () => {
    shown = await openConsole(browser, host.url);
    const { page, faults, go } = shown;
    await go('/tasks');
    await page.getByText('Nothing. A comparison is started').waitFor();
    // Five pages take ten seconds, and how far it is shows within two.
    host.shop.faults({ slow: 1, slowMs: 2_000 });
    await host.api.post('/v1/channels/shop/reconcile?wait=0');
    const card = page.getByRole('article', { name: 'Comparison of stock: shop' });
    const bar = card.getByRole('progressbar');
    await eventually(async () => expect(Number(await bar.getAttribute('value'))).toBeGreaterThan(0));
    // From here on it waits for the shop, so that it is under way for as long as it is looked at.
    host.shop.faults({ slow: 1, slowMs: 20_000 });
    expect(await bar.getAttribute('max')).toBe('450');
    await expect(card.textContent()).resolves.toMatch(/\d00 of 450 \(\d\d %\)/);
    // One look only: the shop's answer is waited for half a minute at most.
    expect(await seriousFindings(page)).toEqual([]);
    await card.getByRole('button', { name: 'Cancel Comparison' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel it' }).click();
    await page.getByText('is told to end').waitFor();
    await card.waitFor({ state: 'detached' });
    const row = page.getByRole('row', { name: /Comparison of stock: shop cancelled/ });
    await row.waitFor();
    await page.getByLabel('How it ended').selectOption('done');
    await row.waitFor({ state: 'detached' });
    // The filter is in the address: going there is asking for it.
    await go('/tasks?state=cancelled');
    await row.getByRole('link').click();
    await page.getByRole('heading', { name: 'Report as far as it came' }).waitFor();
    const listings = page.locator('dl div', { hasText: /^Listings/ });
    expect(Number(await listings.locator('dd').textContent())).toBeGreaterThanOrEqual(100);
    expect(await findingsInEveryLight(page, 'task')).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('a cancellation that comes too late says so, though what it was about is gone', async () => {
    shown = await openConsole(browser, host.url, { path: '/tasks' });
    const { page } = shown;
    host.shop.faults({ slow: 1, slowMs: 5_000 });
    const { body } = await host.api.post<{ id: string }>('/v1/channels/shop/reconcile?wait=0');
    const card = page.getByRole('article', { name: 'Comparison of stock: shop' });
    await card.getByRole('button', { name: 'Cancel Comparison' }).click();
    let send = () => undefined as void;
    const isEnded = new Promise<void>((resolve) => (send = resolve));
    await page.route('**/cancel', async (route) => {
      await isEnded;
      await route.continue();
    });
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel it' }).click();
    await host.api.post(`/v1/tasks/${body.id}/cancel`);
    await card.waitFor({ state: 'detached' });
    send();
    await page.getByText(/That was not done: .*cancelled/).waitFor();
  });

  test('what recurs shows its last and next run, and runs now when it is told to', async () => {
    shown = await openConsole(browser, host.url);
    const { page, go } = shown;
    await go('/schedule');
    await page.getByLabel('Name').fill('verify');
    const row = page.getByRole('row', { name: /^verify/ });
    await row.getByText('has not run yet').waitFor();
    await row.getByRole('button', { name: /^Run now: verify/ }).click();
    await row.getByText('well', { exact: true }).waitFor();
    expect(await findingsInEveryLight(page, 'schedule')).toEqual([]);
  });

  test('a channel is paused with a reason, resumed, and its breaker held by a person', async () => {
    shown = await openConsole(browser, host.url);
    const { page, faults } = shown;
    await page.getByRole('link', { name: 'shop', exact: true }).click();
    await page.getByRole('heading', { name: 'shop', exact: true }).waitFor();
    const state = page.locator('.card').first();
    await state.getByText('in step').waitFor();
    await page.getByRole('button', { name: 'Pause pushing' }).click();
    await page.getByLabel('Reason').fill('stocktaking');
    await page.keyboard.press('Enter');
    await state.getByText('paused', { exact: true }).waitFor();
    await state.getByText('stocktaking (api:ONHAND_ADMIN_KEY)').waitFor();
    // What changes meanwhile is queued, and can be looked at.
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'SKU-007', quantity: 5 }, 'operations-queue');
    await page.getByRole('row', { name: /^SKU-007 .* its turn/ }).waitFor();
    const limits = page.getByRole('region', { name: 'Call limits' });
    await expect(limits.getByRole('meter').getAttribute('max')).resolves.toBe('10000');
    expect(await findingsInEveryLight(page, 'channel')).toEqual([]);
    await page.getByRole('button', { name: 'Resume pushing' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await state.getByText('in step').waitFor();
    await page.getByRole('button', { name: 'Keep it open' }).click();
    await page.getByLabel('Reason').fill('announced maintenance');
    await page.keyboard.press('Enter');
    await state.getByText('left alone').waitFor();
    await page.getByRole('row', { name: /announced maintenance api:ONHAND_ADMIN_KEY/ }).waitFor();
    await page.getByRole('button', { name: 'Let it decide by itself' }).click();
    await page.getByLabel('Reason').fill('over');
    await page.keyboard.press('Enter');
    await state.getByText('in step').waitFor();
    expect(faults).toEqual([]);
  });

  test('a comparison is planned, started and followed on the page of its channel', async () => {
    shown = await openConsole(browser, host.url);
    const { page, go } = shown;
    await go('/channels/shop');
    // Once the one is over that followed the closing of the breaker.
    await page.getByText(/Comparing its 450 listings takes 5 calls/).waitFor({ timeout: 60_000 });
    host.shop.faults({ slow: 1, slowMs: 2_000 });
    await page.getByRole('button', { name: 'Compare now' }).click();
    const card = page.getByRole('article', { name: 'Comparison of stock: shop' });
    await card.getByRole('progressbar').waitFor();
    host.shop.faults({ slow: 0 });
    await card.waitFor({ state: 'detached' });
    const last = page.getByRole('region', { name: 'Last comparisons' }).getByRole('row').nth(1);
    await eventually(async () => expect(await last.textContent()).toMatch(/done450450/));
  });

  test('what the host tells before a page listens is not missed', async () => {
    shown = await openConsole(browser, host.url);
    const { page, go } = shown;
    // A browser that has much to do: what follows a drawing comes a second after it.
    await page.addInitScript(`
      const later = setTimeout;
      requestAnimationFrame = (callback) => later(() => callback(performance.now()), 1000);
      setTimeout = (callback, ms, ...more) => later(callback, Math.max(ms ?? 0, 1000), ...more);`);
    let tell = () => undefined as void;
    const isDrawn = new Promise<void>((resolve) => (tell = resolve));
    await page.route('**/v1/stream', async (route) => {
      await isDrawn;
      await route.continue();
    });
    await page.reload();
    await page.getByRole('status').waitFor();
    await page.waitForTimeout(2_500);
    await go('/channels/ebay');
    await page.getByText('Reading…').waitFor();
    tell();
    await page.getByRole('heading', { name: 'ebay', exact: true }).waitFor();
  });

  test('a plan that cannot be read says so, and is read again when that is asked', async () => {
    shown = await openConsole(browser, host.url);
    const { page, go } = shown;
    const detail = 'the plan is not to be had today';
    await page.route('**/reconcile/plan', (route) => route.fulfill({ status: 503, json: { detail } }));
    await go('/channels/ebay');
    const refused = page.getByRole('alert').filter({ hasText: 'The plan is not to be had today.' });
    await refused.waitFor();
    await page.unroute('**/reconcile/plan');
    await refused.getByRole('button', { name: 'Try again' }).click();
    await page.getByText(/Comparing its 0 listings takes/).waitFor();
  });

  test('the owner of an account consents, and what came back is handed in', async () => {
    shown = await openConsole(browser, host.url, { path: '/channels/ebay' });
    const { page, faults } = shown;
    const consent = page.getByRole('region', { name: 'Consent of the account’s owner' });
    await consent.getByText('needed', { exact: true }).waitFor();
    const address = (await consent.getByRole('link').getAttribute('href'))!;
    const field = consent.getByLabel('Address that the browser was sent to');
    await field.fill('https://shop.example/thanks?error=access_denied&state=ebay');
    await page.keyboard.press('Enter');
    await consent.getByRole('alert').getByText('the consent was not given').waitFor();
    expect(await findingsInEveryLight(page, 'consent')).toEqual([]);
    await field.fill(ebay.consent(address));
    await page.keyboard.press('Enter');
    await consent.getByText('given', { exact: true }).waitFor();
    await consent.getByText('to be renewed').waitFor();
    expect(await field.inputValue()).toBe('');
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(faults).toEqual([expect.stringContaining('400')]);
    // Of no use to a channel that is signed in to by its options, and nothing for who may only look.
    await shown.go('/channels/shop');
    await page.getByRole('heading', { name: 'Breaker' }).waitFor();
    expect(await consent.count()).toBe(0);
    const scopes = ['stock:read', 'channels:read'];
    const made = await host.api.post<{ key: string }>('/v1/keys', { name: 'looker', scopes });
    await shown.context.close();
    shown = await openConsole(browser, host.url, { key: made.body.key, path: '/channels/ebay' });
    await shown.page.getByText('To see it and hand it in, sign in with one that has the scope').waitFor();
    expect(await shown.page.getByLabel('Address that the browser').count()).toBe(0);
    expect(shown.faults).toEqual([]);
  });

  test('the overview tells what is wrong now, and whether the key figures meet their aims', async () => {
    shown = await openConsole(browser, host.url);
    const { page, faults } = shown;
    await page.getByText('nothing oversells').waitFor();
    const order = signedWebhook({
      id: 'operations-short',
      revision: 1,
      placed_at: new Date().toISOString(),
      updated_at: new Date().toISOString(),
      lines: [{ id: '1', sku: 'SKU-001', ordered: 3, cancelled: 0, fulfilled: 0, returned: 0 }],
    });
    await deliver(host, order);
    await page.getByText('someone has to decide').waitFor();
    // By itself, as the rule finds it.
    await page.getByRole('article', { name: /of shop sold what is not there/ }).waitFor();
    const row = page.getByRole('region', { name: 'Channels' }).getByRole('row', { name: /^shop/ });
    await row.getByRole('link', { name: /^1 order lines of shop/ }).waitFor();
    await page.getByRole('button', { name: '1h' }).click();
    const figures = page.getByRole('region', { name: 'Key figures' });
    await figures.getByText('missed: at most 0').first().waitFor();
    await page.locator('.uplot canvas').first().waitFor();
    expect(await findingsInEveryLight(page, 'overview')).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('a key figure shows its course, as a table too, and leads to what it counts', async () => {
    shown = await openConsole(browser, host.url);
    const { page, faults, go } = shown;
    await go('/kpis/oversells?window=1h');
    await page.getByRole('heading', { name: 'Oversells', exact: true }).waitFor();
    await page.getByText('as a table').click();
    await page.getByRole('region', { name: 'Oversells over time' }).getByRole('row').nth(1).waitFor();
    const counted = page
      .getByRole('region', { name: 'What it counts' })
      .getByRole('row', { name: /operations-short/ });
    await counted.getByRole('link', { name: 'shop' }).waitFor();
    expect(await findingsInEveryLight(page, 'kpi')).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('an alert that was raised is acknowledged, and its receiver is tested and told again', async () => {
    shown = await openConsole(browser, host.url);
    const { page, faults, go } = shown;
    const raised = page.getByRole('article', { name: /of shop sold what is not there/ });
    await raised.getByText('critical').waitFor();
    await go('/alerts');
    await raised.getByText('critical').waitFor();
    await page.getByRole('region', { name: 'Rules' }).last().getByText('oversellSeconds').waitFor();
    expect(await findingsInEveryLight(page, 'alerts')).toEqual([]);
    await raised.getByRole('button', { name: /^Acknowledge/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
    await raised.waitFor({ state: 'detached' });
    await page.getByLabel('State').selectOption('acknowledged');
    await raised.getByText('acknowledged by api:ONHAND_ADMIN_KEY').waitFor();
    await page.getByRole('link', { name: 'Receivers', exact: true }).click();
    await page.getByRole('button', { name: 'Send a test: desk' }).click();
    await page.getByText('it arrived').waitFor();
    receiver.behaviour = answers(500);
    await page.getByRole('button', { name: 'Send a test: desk' }).click();
    await page.getByText('desk did not take the test').waitFor();
    receiver.behaviour = answers(204);
    const told = page
      .getByRole('region', { name: 'Deliveries' })
      .getByRole('row', { name: /desk alert\.opened/ });
    await told.first().getByText('delivered').waitFor();
    expect(await findingsInEveryLight(page, 'receivers')).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('a key is made with its scopes, shown once, used, seen in the activity, and revoked', async () => {
    shown = await openConsole(browser, host.url);
    const { page, faults, go } = shown;
    await go('/settings');
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('shelf scanner');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('Choose one scope at least').waitFor();
    await page.getByLabel('channels:read').check();
    expect(await findingsInEveryLight(page, 'new-key')).toEqual([]);
    await page.getByRole('button', { name: 'Make the key' }).click();
    const key = await page.getByLabel('API key', { exact: true }).inputValue();
    expect(key).toMatch(/^onhand_/);
    await page.getByRole('button', { name: 'I have it' }).click();
    expect(await page.content()).not.toContain(key);
    const row = page.getByRole('row', { name: /^shelf scanner channels:read/ });
    await row.getByText('in force').waitFor();
    // Who signs in with it may look and not act, and is told why.
    const reader = await openConsole(browser, host.url, { key });
    await reader.go('/schedule');
    await reader.page.getByText('To run one now, sign in with one that has the scope').waitFor();
    expect(await reader.page.getByRole('button', { name: /^Run now/ }).count()).toBe(0);
    await reader.go('/settings');
    await reader.page.getByText('of this session may not see this page').waitFor();
    await reader.context.close();
    await row.getByRole('button', { name: /^Revoke/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('revoked').waitFor();
    await go('/activity?action=key');
    const region = page.getByRole('region', { name: 'Activity' });
    const told = region.getByRole('row').filter({ hasText: /shelf scanner|key\.revoke/ });
    await eventually(async () => expect(await told.count()).toBe(2));
    expect(await region.textContent()).not.toContain(key);
    expect(await findingsInEveryLight(page, 'activity')).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('the configuration in force is found by a word, without its secrets', async () => {
    shown = await openConsole(browser, host.url);
    const { page, go } = shown;
    await go('/settings');
    await page.getByLabel('Setting').fill('webhook.secret');
    const setting = page.locator('dl div', { hasText: 'channels[0].options.webhook.secret' });
    await setting.getByText('[hidden]').waitFor();
    // What is folded and what is not found is in the page as well.
    await page.getByLabel('Setting').fill('');
    await page.getByText('adminKey').waitFor({ state: 'attached' });
    const content = await page.content();
    for (const secret of [WEBHOOK_SECRET, ADMIN_KEY]) expect(content).not.toContain(secret);
    expect(await findingsInEveryLight(page, 'settings')).toEqual([]);
  });

  test('on a phone the menu leads on by keyboard, and the focus goes where the eyes go', async () => {
    shown = await openConsole(browser, host.url, { width: 360, height: 740 });
    const { page } = shown;
    const menu = page.getByRole('button', { name: 'Menu' });
    await menu.focus();
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await menu.getAttribute('aria-expanded')).toBe('true'));
    await page.getByRole('link', { name: 'Schedule', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Schedule' }).waitFor();
    await eventually(async () => {
      expect(await page.title()).toBe('Schedule · Onhand');
      expect(await page.evaluate('document.activeElement.id')).toBe('main');
    });
    await eventually(async () => expect(await menu.getAttribute('aria-expanded')).toBe('false'));
    await page.goto(`${host.url}/#/channels/shop`);
    const pause = page.getByRole('button', { name: 'Pause pushing' });
    await pause.click();
    await page.getByRole('dialog').waitFor();
    await page.getByRole('button', { name: 'Leave it' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await eventually(async () =>
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Pause pushing'),
    );
  });

  test('drift is gone through page by page, and what is chosen is chosen of the page', async () => {
    host.shop.list(SKUS.slice(0, 150).map((channelSku) => ({ channelSku, quantityUnits: 77 })));
    const compared = await host.api.post<{ id: string }>('/v1/channels/shop/reconcile?wait=20');
    expect(compared).toMatchObject({ status: 200, body: { drifted: 150 } });
    shown = await openConsole(browser, host.url, { path: '/channels/shop' });
    const { page, faults } = shown;
    // As the comparison's own figure leads there.
    await page.getByRole('link', { name: '150 drifted, of a comparison of shop' }).click();
    await page.getByText('Only what one comparison found').waitFor();
    const rows = page.getByRole('region', { name: 'Drift of shop' }).locator('tbody tr');
    await eventually(async () => expect(await rows.count()).toBe(100));
    expect(await page.getByRole('main').getByRole('checkbox').count()).toBe(0);
    await page.getByLabel('Listings', { exact: true }).selectOption('');
    await page.getByRole('button', { name: 'Choose all 100' }).click();
    await page.getByText('100 chosen').waitFor();
    await page.getByRole('button', { name: 'More' }).click();
    await eventually(async () => expect(await rows.count()).toBe(50));
    await page.getByText('0 chosen').waitFor();
    const onSecond = await rows.locator('th a').first().textContent();
    await page.getByRole('checkbox', { name: `Choose ${onSecond}`, exact: true }).check();
    await page.getByRole('button', { name: 'Leave as shown' }).click();
    await page.getByLabel('Reason').fill('shown for the fair');
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await rows.count()).toBe(49));
    const accepted = '/v1/channels/shop/drifts?state=accepted';
    expect((await host.api.get(accepted)).body).toMatchObject({ items: [{ channelSku: onSecond }] });
    await page.getByRole('button', { name: 'Back' }).click();
    await eventually(async () => expect(await rows.count()).toBe(100));
    expect(faults).toEqual([]);
  });
});
