import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { CatalogService } from '../../src/inventory/catalog.service';
import { LedgerService } from '../../src/inventory/ledger.service';
import { startBrowser } from '../support/browser';
import { openConsole } from '../support/console';
import globalSetup from '../support/global-setup';
import globalTeardown from '../support/global-teardown';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

/**
 * How long the console takes to be of use over 100,000 SKUs with a listing each: from the request for the page to
 * the channels and key figures of the overview, and to the rows of the stock page. Run by hand, after `npm run build`:
 * `node -r ./test/support/register-swc.js test/console/first-view.ts`
 */
const SKUS = Number(process.env.SKUS ?? 100_000);
const ROUNDS = 7;

async function main(): Promise<void> {
  await globalSetup();
  const codes = Array.from({ length: SKUS }, (_, index) => `SKU-${String(index).padStart(6, '0')}`);
  const host = await startShopHost({
    // Observed, so that what is measured is not the pushing of everything.
    shop: { mode: 'observe', listings: listingsCsv(codes.map((code) => [code, code, 1])) },
  });
  const browser = await startBrowser();
  try {
    await stockUp(host, codes);
    const overview: number[] = [];
    const stock: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { context, page, go } = await openConsole(browser, host.url);
      // Not from the browser's cache: a first view.
      const cold = await context.newCDPSession(page);
      await cold.send('Network.setCacheDisabled', { cacheDisabled: true });
      overview.push(
        await timed(async () => {
          await page.reload();
          await page.getByRole('row', { name: /^shop/ }).waitFor();
          await page.locator('.kpi').first().waitFor();
        }),
      );
      stock.push(
        await timed(async () => {
          await go('/stock');
          await page.getByRole('link', { name: 'SKU-000000', exact: true }).waitFor();
        }),
      );
      await context.close();
    }
    process.stdout.write(`${SKUS} SKUs, ${ROUNDS} rounds, ms\n`);
    process.stdout.write(`overview of use: ${told(overview)}\nstock page of use: ${told(stock)}\n`);
  } finally {
    await browser.close();
    await host.close();
    await globalTeardown();
  }
}

async function stockUp({ app, dataSource }: ShopHost, codes: readonly string[]): Promise<void> {
  const catalog = app.get(CatalogService);
  const ledger = app.get(LedgerService);
  await catalog.learn(codes);
  const locationId = catalog.defaultLocationId();
  const post = (code: string) =>
    ledger.post({
      ...{ kind: 'move', type: 'RESTOCK', skuId: catalog.knownSkuId(code)!, locationId },
      ...{ quantityUnits: 10, key: randomUUID(), actor: 'first-view' },
    } as Parameters<LedgerService['post']>[0]);
  for (let from = 0; from < codes.length; from += 10_000)
    await Promise.all(codes.slice(from, from + 10_000).map(post));
  await dataSource.query('VACUUM ANALYZE');
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function told(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b).map(Math.round);
  return `median ${sorted[Math.floor(sorted.length / 2)]}, worst ${sorted.at(-1)}`;
}

void main();
