import type { Browser, Page } from 'playwright-core';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { describeWithBrowser, startBrowser } from '../support/browser';
import { findingsInEveryLight, openConsole, type SignedInConsole } from '../support/console';
import { followNumbers } from '../support/console-numbers';
import { eventually } from '../support/eventually';
import { GENERIC_REST_SOURCE } from '../support/host';
import {
  deliver,
  listingsCsv,
  type ShopHost,
  signedWebhook,
  startShopHost,
  WEBHOOK_SECRET,
} from '../support/shop-host';

const SKUS = ['MUG', 'CUP', 'JUG', 'PAN', 'POT'];
const LISTINGS = listingsCsv([
  ...SKUS.map((sku): [string, string, number] => [sku, sku, 1]),
  ['CUP-6', 'CUP', 6],
]);

describeWithBrowser('the console of stock and of the desk', () => {
  let host: ShopHost;
  let market: ChannelSimulator;
  let browser: Browser;
  let shown: SignedInConsole;
  let page: Page;
  let placed = 0;

  beforeAll(async () => {
    market = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
    const listed = [...SKUS, 'CUP-6'].map((channelSku) => ({ channelSku, quantityUnits: 0 }));
    market.list(listed);
    host = await startShopHost({
      locations: [
        { code: 'main', priority: 1 },
        { code: 'north', priority: 2 },
      ],
      counts: { approveAboveUnits: 5 },
      shows: [...SKUS, 'CUP-6'],
      shop: { listings: LISTINGS, buffer: { units: 2 }, onDrift: 'report' },
      channels: [
        {
          name: 'market',
          plugin: GENERIC_REST_SOURCE,
          options: { limit: { perSecond: 10_000, burst: 10_000 }, ...market.pluginOptions },
          listings: LISTINGS,
          shortfall: { cancelPenalty: 8 },
        },
      ],
    });
    await host.api.post('/v1/skus', [{ sku: 'MUG', name: 'Red mug', tags: ['fragile', 'kitchen'] }]);
    for (const sku of ['MUG', 'CUP', 'PAN'])
      await host.api.post('/v1/events', {
        type: 'RESTOCK',
        sku,
        quantity: 50,
        location: 'main',
        occurredAt: '2026-01-05T08:00:00Z',
      });
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'MUG', quantity: 7, location: 'north' });
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await host?.close();
    await market?.close();
  });

  afterEach(() => shown?.context.close());

  async function open(path: string, key?: string): Promise<void> {
    shown = await openConsole(browser, host.url, { key, path });
    page = shown.page;
  }

  /** Told to a channel by its webhook; later orders are placed later. */
  async function order(channel: string, id: string, lines: [sku: string, units: number][]): Promise<void> {
    const at = new Date(Date.UTC(2026, 10, 20, 10, ++placed)).toISOString();
    const nothing = { cancelled: 0, fulfilled: 0, returned: 0 };
    const document = {
      id,
      revision: 1,
      placed_at: at,
      updated_at: at,
      lines: lines.map(([sku, ordered], line) => ({ id: String(line + 1), sku, ordered, ...nothing })),
    };
    expect(await deliver(host, signedWebhook(document), channel)).toMatchObject({ status: 200 });
    await eventually(async () =>
      expect(await host.dataSource.query('SELECT FROM orders WHERE order_id = $1', [id])).toHaveLength(1),
    );
  }

  /** Until the desk has the order's case. */
  const onDesk = (orderId: string) =>
    eventually(async () => {
      const { body } = await host.api.get<{ items: { orderId: string }[] }>('/v1/oversells');
      expect(body.items.map((item) => item.orderId)).toContain(orderId);
    });
  const rowOf = (name: string | RegExp) => page.getByRole('row', { name });
  const texts = (name: string) =>
    page.getByRole('region', { name, exact: true }).locator('tbody tr').allTextContents();
  const dialog = () => page.getByRole('dialog');

  test('stock is found by text, tag and what is left, and each figure leads to its events', async () => {
    await open('/stock');
    await rowOf(/^MUG/).waitFor();
    expect(await findingsInEveryLight(page, 'stock')).toEqual([]);
    await page.getByLabel('SKU, name or barcode').fill('red m');
    await eventually(async () => expect(await texts('Stock')).toHaveLength(1));
    await page.getByLabel('Rows').selectOption('location');
    await eventually(async () => expect(await texts('Stock by location')).toHaveLength(2));
    await page.getByLabel('Rows').selectOption('');
    await page.getByLabel('SKU, name or barcode').fill('');
    await eventually(() => expect(page.url()).not.toContain('search='));
    await page.getByLabel('Available at most').fill('10');
    await eventually(async () =>
      expect((await texts('Stock')).map((row) => row.slice(0, 3))).toEqual(['JUG', 'POT']),
    );
    await page.getByLabel('Available at most').fill('');
    await page.getByLabel('Tag').selectOption('fragile');
    await eventually(async () => expect(await texts('Stock')).toHaveLength(1));
    await page.getByRole('link', { name: /^57 physical of MUG/ }).click();
    await page.getByRole('heading', { name: 'MUG' }).waitFor();
    await eventually(async () => expect(await texts('Events')).toHaveLength(2));
    expect(await page.getByLabel('Changes').inputValue()).toBe('physical');
    expect(shown.faults).toEqual([]);
  });

  test('stock of a moment is told as it was and as we knew it, by keyboard too', async () => {
    await open('/stock/CUP');
    const available = page
      .getByRole('region', { name: /^Levels/ })
      .getByRole('cell')
      .first();
    await eventually(async () => expect(await available.textContent()).toBe('50'));
    await page.getByLabel('As of').fill('2026-02-01T00:00:00');
    await page.getByText('with what we heard of only later').waitFor();
    await eventually(async () => expect(await available.textContent()).toBe('50'));
    await page.getByLabel('As we knew it').check();
    await page.getByText('None of it has been here by then.').waitFor();
    await page.getByRole('button', { name: 'Now' }).click();
    await eventually(async () => expect(await available.textContent()).toBe('50'));
    const slider = page.getByRole('slider', { name: 'Moment' });
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('row', { name: /^Now, all/ }).waitFor();
    expect(await slider.getAttribute('aria-valuetext')).not.toBe('now');
    expect(page.url()).toContain('at=20');
    await page.keyboard.press('End');
    await page.getByRole('row', { name: /^Now, all/ }).waitFor({ state: 'detached' });
    expect(shown.faults).toEqual([]);
  });

  test('a line of a waterfall leads to what explains it', async () => {
    await order('shop', 'R-1', [
      ['MUG', 3],
      ['CUP', 1],
    ]);
    await open('/stock/MUG');
    await page.locator('summary', { hasText: 'shop MUG' }).click();
    const waterfall = page.locator('table.waterfall');
    await eventually(async () =>
      expect(await waterfall.locator('tbody tr').allTextContents()).toEqual([
        'Physical57',
        'Reserved-3',
        expect.stringMatching(/^Withheld: 2 units .*-2$/),
        'Can be sold52',
        'Should be shown52',
      ]),
    );
    await page.getByRole('region', { name: 'Pushes' }).getByRole('button').first().waitFor();
    expect(await findingsInEveryLight(page, 'sku')).toEqual([]);
    await waterfall.getByRole('link', { name: 'Reserved' }).click();
    await eventually(async () =>
      expect(await texts('Reservations')).toEqual([
        expect.stringMatching(/^shop, order R-1confirmed3300main/),
      ]),
    );
    await page.getByRole('link', { name: 'shop, order R-1' }).click();
    await eventually(async () =>
      expect(await texts('Events')).toEqual([expect.stringMatching(/RESERVE3available → reserved/)]),
    );
    expect(shown.faults).toEqual([]);
  });

  test('a listing shows what its channel was told, each number with how it came about then', async () => {
    await eventually(() => expect(market.shown().get('CUP-6')).toBeGreaterThan(0));
    await open('/stock/CUP');
    await page.locator('summary', { hasText: 'market CUP-6' }).click();
    await page.getByRole('link', { name: 'All about this listing' }).click();
    await page.getByRole('heading', { name: 'What the channel was told' }).waitFor();
    await page
      .getByRole('button', { name: /^8 units: how they came about/ })
      .first()
      .click();
    await dialog().getByText('In packs of 6').waitFor();
    await dialog().getByText('Should be shown').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await findingsInEveryLight(page, 'listing')).toEqual([]);
    expect(shown.faults).toEqual([]);
  });

  test('the desk proposes the order that is cheapest to cancel, and says why', async () => {
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'JUG', quantity: 2 });
    await order('shop', 'J-1', [['JUG', 2]]);
    await order('market', 'J-2', [
      ['JUG', 2],
      ['PAN', 1],
    ]);
    await onDesk('J-2');
    await open('/oversells');
    const card = page.getByRole('article', { name: 'Order J-2 of market' });
    await card.getByText('waits for a decision').waitFor();
    const candidates = card.getByRole('list').nth(1).getByRole('listitem');
    await eventually(async () =>
      expect(await candidates.allTextContents()).toEqual([
        'shop, order J-1 has all 2; a cancellation on shop counts 1; no other lines; placed first',
        'market, order J-2 (this one) a cancellation on market counts 8; 1 other line; placed last',
      ]),
    );
    await card.getByText('Cancel order J-1 at shop').waitFor();
    expect(await findingsInEveryLight(page, 'oversells')).toEqual([]);
    await card.getByRole('button', { name: 'Backorder' }).click();
    await page.getByLabel('Reason').fill('more comes on Monday');
    await page.keyboard.press('Enter');
    await card.getByText('waits for stock').waitFor();
    // What was decided is undone.
    await card.getByRole('button', { name: 'Hold' }).click();
    await page.getByLabel('Reason').fill('it does not after all');
    await page.keyboard.press('Enter');
    await card.getByText('waits for a decision').waitFor();
    await card.getByText('What was done about it').click();
    await card.getByText('backorder, “more comes on Monday”').waitFor();
    // What has come is reserved, and the case is gone by itself.
    await host.api.post('/v1/events', { type: 'RESTOCK', sku: 'JUG', quantity: 2 });
    await card.getByRole('button', { name: 'Reserve' }).click();
    await dialog().getByRole('button', { name: 'Reserve' }).click();
    await card.waitFor({ state: 'detached' });
    expect(shown.faults).toEqual([]);
  });

  test('a cancellation is sent with the message that a person made of the draft', async () => {
    await order('market', 'P-1', [['POT', 3]]);
    await onDesk('P-1');
    await open('/oversells?channel=market');
    const card = page.getByRole('article', { name: 'Order P-1 of market' });
    await card.getByRole('button', { name: 'Cancel it' }).click();
    const message = page.getByLabel('Message to the customer');
    await eventually(async () => expect(await message.inputValue()).toContain('3 × POT, order P-1'));
    expect(await findingsInEveryLight(page, 'cancel')).toEqual([]);
    await message.fill('So sorry.\nYou get your money back.');
    await page.getByLabel('Reason').fill('none to be had');
    await dialog().getByRole('button', { name: 'Cancel it' }).click();
    await dialog().waitFor({ state: 'detached' });
    const desk = await host.api.get<{ items: { id: number; orderId: string }[] }>(
      '/v1/oversells?state=cancelling',
    );
    const cancelling = desk.body.items.find(({ orderId }) => orderId === 'P-1');
    const rows = await host.dataSource.query(
      `SELECT c.message FROM cancellations c WHERE c.channel = 'market' AND c.order_id = 'P-1'`,
    );
    expect(rows).toEqual([{ message: 'So sorry. You get your money back.' }]);
    expect(cancelling === undefined || cancelling.id > 0).toBe(true);
    expect(shown.faults).toEqual([]);
  });

  test('drift is pushed again or left as shown, with the reason kept', async () => {
    const expected = (sku: string) => eventually(() => expect(host.shop.shown().get(sku)).toBeGreaterThan(0));
    for (const sku of ['CUP', 'PAN']) await expected(sku);
    await eventually(async () =>
      expect(await host.dataSource.query(`SELECT FROM dirty_listings WHERE channel = 'shop'`)).toEqual([]),
    );
    host.shop.list([
      { channelSku: 'CUP', quantityUnits: 90 },
      { channelSku: 'PAN', quantityUnits: 91 },
    ]);
    await open('/drift?channel=shop');
    await page.getByText('Comparisons', { exact: false }).click();
    await page.getByRole('button', { name: 'Compare now: shop' }).click();
    await dialog().getByText(/calls/).waitFor();
    await dialog().getByRole('button', { name: 'Compare' }).click();
    await rowOf(/CUP.*90/).waitFor();
    expect(await findingsInEveryLight(page, 'drift')).toEqual([]);
    const box = page.getByRole('checkbox', { name: 'Choose CUP', exact: true });
    await box.focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Push ours again' }).click();
    await dialog().getByRole('button', { name: 'Push' }).click();
    await eventually(() => expect(host.shop.shown().get('CUP')).toBeLessThan(90));
    await page
      .getByRole('checkbox', { name: 'Choose CUP', exact: true })
      .uncheck({ timeout: 1_000 })
      .catch(() => undefined);
    await page.getByRole('checkbox', { name: 'Choose PAN', exact: true }).check();
    await page.getByRole('button', { name: 'Leave as shown' }).click();
    await page.getByLabel('Reason').fill('shown for the fair');
    await page.keyboard.press('Enter');
    await rowOf(/Choose PAN/).waitFor({ state: 'detached' });
    await page.getByLabel('Listings', { exact: true }).selectOption('accepted');
    await page.getByText('“shown for the fair” by api:ONHAND_ADMIN_KEY').waitFor();
    expect(host.shop.shown().get('PAN')).toBe(91);
    expect(shown.faults).toEqual([]);
  });

  test('lines of a count that are far off are approved or rejected', async () => {
    const count = [
      { sku: 'PAN', quantity: 10 },
      { sku: 'CUP', quantity: 20 },
    ];
    const takenAt = new Date().toISOString();
    const sent = await host.api.post(`/v1/counts?source=wms&takenAt=${encodeURIComponent(takenAt)}`, count);
    expect(sent).toMatchObject({ status: 200, body: { byStatus: { waiting: 2 } } });
    await open('/counts');
    await page.getByRole('link', { name: '2 lines waiting' }).waitFor();
    expect(await findingsInEveryLight(page, 'counts')).toEqual([]);
    await page.getByRole('link', { name: '2 lines waiting' }).click();
    await page.getByRole('checkbox', { name: 'Choose PAN at main' }).check();
    expect(await findingsInEveryLight(page, 'count')).toEqual([]);
    await page.getByRole('button', { name: 'Approve' }).click();
    await dialog()
      .getByText(/-\d\d units in all/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Approve' }).click();
    await rowOf(/Choose PAN/).waitFor({ state: 'detached' });
    await page.getByRole('checkbox', { name: 'Choose CUP at main' }).check();
    await page.getByRole('button', { name: 'Reject' }).click();
    await dialog().getByRole('button', { name: 'Reject' }).click();
    await page.getByText('adjusted', { exact: true }).waitFor();
    await page.getByText('rejected', { exact: true }).waitFor();
    const { body } = await host.api.get<{ total: { physical: number } }>('/v1/stock/PAN');
    expect(body.total.physical).toBe(10);
    expect(shown.faults).toEqual([]);
  });

  test('unmapped SKUs are mapped by keyboard, by the same code in bulk, and ignored', async () => {
    await order('shop', 'U-1', [
      ['X-MUG', 1],
      ['NEW-1', 1],
      ['NEW-2', 1],
      ['GIFT', 1],
    ]);
    await open('/mapping');
    await rowOf(/X-MUG/).waitFor();
    expect(await findingsInEveryLight(page, 'mapping')).toEqual([]);
    const field = page.getByLabel('Our SKU for X-MUG');
    await field.fill('NONE');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(/NONE/).waitFor();
    await field.fill('MUG');
    await page.keyboard.press('Enter');
    await rowOf(/X-MUG/).waitFor({ state: 'detached' });
    await page.getByRole('checkbox', { name: 'Choose NEW-1' }).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await page.getByText('2 chosen').waitFor();
    await page.getByRole('button', { name: 'Map to the same code' }).click();
    await dialog().getByRole('button', { name: 'Map' }).click();
    await page.getByText('2 channel SKUs mapped, 2 of our SKUs made').waitFor();
    await page.getByRole('checkbox', { name: 'Choose GIFT' }).check();
    await page.getByRole('button', { name: 'Ignore' }).click();
    await dialog().getByRole('button', { name: 'Ignore' }).click();
    await page.getByText('Everything that shop was seen to sell or show is mapped').waitFor();
    await page.getByRole('link', { name: 'Ignored' }).click();
    await rowOf(/GIFT/).waitFor();
    expect(shown.faults).toEqual([expect.stringContaining('422')]);
  });

  test('suggestions are confirmed in bulk', async () => {
    await host.api.post('/v1/skus', [{ sku: 'VASE' }]);
    host.shop.list([{ channelSku: 'va-se', quantityUnits: 1 }]);
    await open('/mapping?show=suggestions');
    await page.getByRole('button', { name: 'Look for matches' }).click();
    await dialog().getByRole('button', { name: 'Look' }).click();
    await rowOf(/va-se/).waitFor();
    expect(await findingsInEveryLight(page, 'suggestions')).toEqual([]);
    await page.getByRole('button', { name: 'Choose all 1' }).click();
    await page.getByRole('button', { name: 'Map as proposed' }).click();
    await dialog().getByRole('button', { name: 'Map' }).click();
    await page.getByText('Nothing is proposed').waitFor();
    const { body } = await host.api.get<{ items: object[] }>('/v1/channels/shop/listings?channelSku=va-se');
    expect(body.items).toMatchObject([{ components: [{ sku: 'VASE', units: 1 }] }]);
    expect(shown.faults).toEqual([]);
  });

  test('parked things are dismissed many at once, and found again as dismissed', async () => {
    for (const id of ['W-1', 'W-2', 'W-3']) await deliver(host, signedWebhook({ id, revision: 'x' }));
    await open('/parked?show=webhooks');
    const webhooks = page.getByRole('region', { name: 'Webhooks that could not be applied', exact: true });
    await eventually(async () => expect(await webhooks.getByRole('checkbox').count()).toBe(3));
    expect(await findingsInEveryLight(page, 'parked')).toEqual([]);
    await webhooks.getByRole('checkbox').first().click();
    await webhooks
      .getByRole('checkbox')
      .last()
      .click({ modifiers: ['Shift'] });
    await page.getByText('3 chosen').waitFor();
    await page.getByRole('button', { name: 'Dismiss the chosen' }).click();
    await page.getByLabel('Reason').fill('poison');
    await page.keyboard.press('Enter');
    await page.getByText('3 dismissed').waitFor();
    await page.getByLabel('State').selectOption('dismissed');
    await eventually(async () => expect(await webhooks.getByText(/: “poison”/).count()).toBe(3));
    expect(shown.faults).toEqual([]);
  });

  test('a policy is put in force only after it was seen what it changes', async () => {
    await open('/buffers');
    await page.getByRole('button', { name: 'New policy' }).click();
    await page.getByLabel('Name', { exact: true }).fill('fragile things');
    await page.getByLabel('or tag').fill('fragile');
    await page.getByLabel('Units', { exact: true }).first().fill('8');
    expect(await findingsInEveryLight(page, 'policy')).toEqual([]);
    await page.getByRole('button', { name: 'See what it would change' }).click();
    await dialog()
      .getByText(/would show another number/)
      .waitFor();
    await dialog().getByText('What would it have done').click();
    await dialog()
      .getByRole('row', { name: /^in force/ })
      .waitFor();
    expect(await findingsInEveryLight(page, 'policy-changes')).toEqual([]);
    expect((await host.api.get('/v1/buffers/policies')).body).toEqual({ items: [] });
    await page.getByRole('button', { name: 'Put it in force' }).click();
    await rowOf(/fragile things.*units 8/).waitFor();
    expect(await findingsInEveryLight(page, 'buffers')).toEqual([]);
    await page.getByRole('link', { name: 'What changed' }).click();
    await rowOf(/fragile things/).waitFor();
    await page.getByRole('link', { name: 'Policies and windows' }).click();
    await page.getByRole('button', { name: 'Remove fragile things' }).click();
    await dialog()
      .getByText(/would show another number/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Remove it' }).click();
    await page.getByText('There is no policy yet').waitFor();
    expect(shown.faults).toEqual([]);
  });

  test('a hold withholds at once, and is ended where it is seen', async () => {
    await open('/buffers?show=holds');
    await page.getByRole('button', { name: 'Place a hold' }).click();
    await dialog().getByRole('textbox', { name: 'SKU' }).fill('CUP');
    await page.getByLabel('Units', { exact: true }).fill('4');
    await page.getByLabel('Reason').fill('recall');
    await page.keyboard.press('Enter');
    await rowOf(/CUP.*recall/).waitFor();
    await page.getByRole('link', { name: 'CUP' }).click();
    await page
      .getByRole('region', { name: 'Withheld now' })
      .getByText(/recall/)
      .first()
      .waitFor();
    expect(await findingsInEveryLight(page, 'withheld')).toEqual([]);
    await page.getByRole('button', { name: /^End the hold/ }).click();
    await dialog().getByRole('button', { name: 'End it' }).click();
    await page.getByText('Nobody withholds any of it by hand.').waitFor();
    expect(shown.faults).toEqual([]);
  });

  test('every number leads to a page that explains it, or says why it needs none', async () => {
    await open('/');
    const inMenu = await page.evaluate<string[]>(
      `[...document.querySelectorAll('nav a[href]')].map((link) => link.getAttribute('href').slice(1))`,
    );
    const { unexplained, astray, targets } = await followNumbers(page, [
      ...new Set(inMenu),
      ...['/channels/market', '/kpis/oversells', '/kpis/sync_latency_p99_seconds', '/listings/shop'],
      ...['/listings/shop/CUP-6', '/buffers?show=holds', '/buffers?show=rows', '/buffers?show=history'],
      ...['/stock?by=location', '/stock/MUG?show=reservations&state=all', '/stock/MUG?show=withheld'],
      ...['/stock/CUP?at=2026-02-01T00:00:00Z', '/oversells?state=resolved', '/drift?state=all'],
      ...['/mapping?channel=shop&show=ignored', '/parked?show=webhooks&state=dismissed'],
    ]);
    expect(unexplained).toEqual([]);
    expect(astray).toEqual([]);
    // Every kind of page was met, those that are reached by links alone as well.
    const kinds = new Set(targets.map((href) => href.replace(/^#/, '').split(/[/?]/)[1]));
    for (const kind of ['channels', 'stock', 'listings', 'counts', 'tasks', 'kpis', 'drift', 'parked'])
      expect(kinds).toContain(kind);
    expect(shown.faults).toEqual([]);
  }, 120_000);

  test('a key that may only look is told so, and gets no buttons', async () => {
    const scopes = ['stock:read', 'channels:read'];
    const made = await host.api.post<{ key: string }>('/v1/keys', { name: 'looker', scopes });
    await open('/parked', made.body.key);
    await page
      .getByText('To try again or dismiss, sign in with one that has the scope channels:write')
      .waitFor();
    for (const path of ['/oversells', '/drift', '/mapping', '/buffers']) {
      await shown.go(path);
      await page.getByText('sign in with one that has the scope channels:write').waitFor();
      expect(await page.getByRole('main').getByRole('checkbox').count()).toBe(0);
    }
    expect(await page.getByRole('button', { name: 'New policy' }).count()).toBe(0);
    await shown.go('/mapping?show=suggestions');
    await page.getByText('Nothing is proposed.').waitFor();
    expect(await page.getByRole('button', { name: 'Look for matches' }).count()).toBe(0);
    const only = await host.api.post<{ key: string }>('/v1/keys', { name: 'stock', scopes: ['stock:read'] });
    await shown.context.close();
    await open('/stock/MUG', only.body.key);
    await page.getByText('To see what channels show, sign in with a key that has the scope').waitFor();
    expect(await page.getByRole('link', { name: 'Withheld' }).count()).toBe(0);
    expect(shown.faults).toEqual([]);
  });
});
