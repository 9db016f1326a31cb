import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { describeWithBrowser, look, startBrowser } from '../support/browser';
import { eventually } from '../support/eventually';
import { seriousFindings } from '../support/console';
import { ADMIN_KEY } from '../support/host';
import { deliver, listingsCsv, type ShopHost, signedWebhook, startShopHost } from '../support/shop-host';

/** What a browser notes when it asks who it is and is nobody yet. */
const EXPECTED = /status of 401/;

describeWithBrowser('the console', () => {
  let host: ShopHost;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    host = await startShopHost({
      shows: ['MUG', 'CUP', 'CUP-6'],
      shop: {
        listings: listingsCsv([
          ['MUG', 'MUG', 1],
          ['CUP', 'CUP', 1],
          ['CUP-6', 'CUP', 6],
        ]),
        buffer: { units: 2 },
        cap: 40,
      },
    });
    for (const sku of ['MUG', 'CUP'])
      await host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity: 50 }, `console-${sku}`);
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
    page = await context.newPage();
    faults = [];
    page.on(
      'console',
      (message) =>
        message.type() === 'error' && !EXPECTED.test(message.text()) && faults.push(message.text()),
    );
    page.on('pageerror', (error) => faults.push(error.message));
  });

  afterEach(() => context.close());

  async function show(key: string): Promise<void> {
    await page.goto(host.url);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  async function signIn(key = ADMIN_KEY): Promise<void> {
    await show(key);
    await page.getByRole('status').waitFor();
  }

  const order = (id: string, sku: string, ordered: number) =>
    deliver(
      host,
      signedWebhook({
        id,
        revision: 1,
        placed_at: '2026-11-20T10:00:00Z',
        updated_at: '2026-11-20T10:00:00Z',
        lines: [{ id: '1', sku, ordered, cancelled: 0, fulfilled: 0, returned: 0 }],
      }),
    );

  const cell = (row: string, column: number) =>
    page
      .getByRole('row', { name: new RegExp(`^${row}`) })
      .locator('td')
      .nth(column);

  const serious = () => seriousFindings(page);

  test('a wrong key is refused with what to do, the right one opens the overview', async () => {
    await show('onhand_wrong');
    await expect(page.getByRole('alert').textContent()).resolves.toContain(
      'the API key is unknown or was revoked',
    );
    await look(page, 'sign-in');
    expect(await serious()).toEqual([]);
    faults = [];
    await page.getByLabel('API key').fill(ADMIN_KEY);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await eventually(async () => expect(await page.getByRole('status').textContent()).toBe('live'));
    await eventually(async () => expect(await cell('shop', 0).textContent()).toMatch(/^in step/));
    await look(page, 'overview');
    expect(await serious()).toEqual([]);
    expect(faults).toEqual([]);
    // The cookie is out of reach of scripts, and the key is nowhere in the browser.
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(await page.evaluate('JSON.stringify([localStorage, sessionStorage])')).toBe('[{},{}]');
  });

  test('the overview and the stock change by themselves when something is sold', async () => {
    await signIn();
    await page.getByRole('link', { name: 'Stock', exact: true }).click();
    await page.getByLabel('SKU, name or barcode').fill('mu');
    await eventually(async () => expect(await cell('MUG', 0).textContent()).toBe('50'));
    await look(page, 'stock');
    await order('console-1', 'MUG', 3);
    await eventually(async () => expect(await cell('MUG', 0).textContent()).toBe('47'));
    expect(await cell('MUG', 1).textContent()).toBe('3');
    await page.getByLabel('SKU, name or barcode').fill('100%_');
    await page.getByText('No SKU has “100%_”').waitFor();
    expect(await serious()).toEqual([]);
  });

  test('a SKU shows its levels, each channel with the waterfall of its number, and its events', async () => {
    await signIn();
    await page.goto(`${host.url}/#/stock/CUP`);
    await page.locator('summary', { hasText: 'CUP-6' }).waitFor();
    expect(await page.locator('summary', { hasText: 'CUP: should show' }).textContent()).toContain(
      'should show 40',
    );
    await page.locator('summary', { hasText: 'CUP-6' }).click();
    const waterfall = page.locator('table.waterfall');
    await waterfall.waitFor();
    const rows = await waterfall.locator('tbody tr').allTextContents();
    expect(rows[0]).toBe('Physical50');
    expect(rows).toContainEqual(expect.stringMatching(/^Withheld: .*-2$/));
    expect(rows.at(-1)).toBe('Should be shown8');
    await look(page, 'sku');
    await page.getByRole('rowheader', { name: 'RESTOCK', exact: true }).waitFor();
    expect(await serious()).toEqual([]);
    // Before anything came.
    await page.getByLabel('As of').fill('2001-01-01T00:00:00');
    await page.getByText('None of it has been here by then.').waitFor();
    expect(faults).toEqual([]);
  });

  test('it is used by keyboard alone', async () => {
    await signIn();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('To the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
  });

  test('it fits a phone and the dark, without a serious finding of axe', async () => {
    await context.close();
    context = await browser.newContext({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    page = await context.newPage();
    await signIn();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await look(page, 'phone-dark');
    expect(await serious()).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.goto(`${host.url}/#/stock/MUG`);
    await page.getByRole('heading', { name: 'MUG' }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await serious()).toEqual([]);
  });

  test('a key that may only read stock is told so where it needs more', async () => {
    const made = await host.api.post<{ key: string }>('/v1/keys', { name: 'reader', scopes: ['stock:read'] });
    await signIn(made.body.key);
    await page.getByText('Sign in with one that has the scope channels:read').waitFor();
    await page.getByRole('link', { name: 'Stock', exact: true }).click();
    await page.getByRole('link', { name: 'MUG', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    await page.reload();
    await page.getByLabel('API key').waitFor();
  });

  test('it loads nothing but its own files, small ones', async () => {
    const sizes = new Map<string, number>();
    page.on('response', (response) => {
      if (new URL(response.url()).pathname.startsWith('/v1/')) return;
      void response.body().then((body) => sizes.set(response.url(), gzipSync(body).length));
    });
    await signIn();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await eventually(() => expect(sizes.size).toBeGreaterThanOrEqual(3));
    for (const url of sizes.keys()) expect(url.startsWith(`${host.url}/`)).toBe(true);
    expect([...sizes.values()].reduce((sum, each) => sum + each, 0)).toBeLessThan(300_000);
  });

  test('what an attacker gets into a name is shown as text', async () => {
    await host.api.post('/v1/skus', { sku: '<img/src=x>' });
    await signIn();
    await page.goto(`${host.url}/#/stock`);
    await page.getByRole('link', { name: '<img/src=x>', exact: true }).click();
    await page.getByRole('heading', { name: '<img/src=x>' }).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    const answer = await fetch(host.url);
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(answer.headers.get('x-frame-options')).toBe('SAMEORIGIN');
  });
});
