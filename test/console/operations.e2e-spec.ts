import type { Browser } from 'playwright-core';
import { describeWithBrowser, startBrowser } from '../support/browser';
import { findingsInEveryLight, openConsole, type SignedInConsole } from '../support/console';
import { eventually } from '../support/eventually';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

/** Five pages of the shop's list, so that a comparison comes to its end step by step. */
const SKUS = Array.from({ length: 450 }, (_, index) => `SKU-${String(index + 1).padStart(3, '0')}`);

describeWithBrowser('the console of who runs the host', () => {
  let host: ShopHost;
  let browser: Browser;
  let shown: SignedInConsole;

  beforeAll(async () => {
    host = await startShopHost({
      shows: SKUS,
      shop: { listings: listingsCsv(SKUS.map((sku) => [sku, sku, 1])) },
    });
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await host?.close();
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
    host.shop.faults({ slow: 1, slowMs: 1_200 });
    await host.api.post('/v1/channels/shop/reconcile?wait=0');
    const card = page.getByRole('article', { name: 'Comparison of stock: shop' });
    const bar = card.getByRole('progressbar');
    await eventually(async () => expect(Number(await bar.getAttribute('value'))).toBeGreaterThan(0));
    expect(await bar.getAttribute('max')).toBe('450');
    await expect(card.textContent()).resolves.toMatch(/\d00 of 450 \(\d\d %\)/);
    expect(await findingsInEveryLight(page, 'tasks')).toEqual([]);
    await card.getByRole('button', { name: 'Cancel Comparison' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel it' }).click();
    await page.getByText('is told to end').waitFor();
    await card.waitFor({ state: 'detached' });
    const row = page.getByRole('row', { name: /Comparison of stock: shop cancelled/ });
    await row.getByRole('link').click();
    await page.getByRole('heading', { name: 'Report as far as it came' }).waitFor();
    const listings = page.locator('dl div', { hasText: /^Listings/ });
    expect(Number(await listings.locator('dd').textContent())).toBeGreaterThanOrEqual(100);
    expect(await findingsInEveryLight(page, 'task')).toEqual([]);
    expect(faults).toEqual([]);
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
    await page.getByText(/Comparing its 450 listings takes 5 calls/).waitFor();
    host.shop.faults({ slow: 1, slowMs: 300 });
    await page.getByRole('button', { name: 'Compare now' }).click();
    const card = page.getByRole('article', { name: 'Comparison of stock: shop' });
    await card.getByRole('progressbar').waitFor();
    await card.waitFor({ state: 'detached' });
    const last = page.getByRole('region', { name: 'Last comparisons' }).getByRole('row').nth(1);
    await eventually(async () => expect(await last.textContent()).toMatch(/done450450/));
  });
});
