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
});
