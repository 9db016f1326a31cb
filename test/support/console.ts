import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { look } from './browser';
import { eventually } from './eventually';
import { ADMIN_KEY } from './host';
import type { TestGlobals } from './test-environment';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What a browser notes when it asks who it is and is nobody yet. */
const EXPECTED = /status of 401/;

export interface SignedInConsole {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page wrote to its console as an error, or threw. */
  readonly faults: string[];
  /** Goes to the console's page at this path, such as `/tasks`. */
  go(path: string): Promise<void>;
}

/** The console of a host, signed in with a key: the admin's unless another is given. */
export async function openConsole(
  browser: Browser,
  url: string,
  { key = ADMIN_KEY, path = '/', width = 1280, height = 860, dark = false } = {},
): Promise<SignedInConsole> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  // A test that waits for what does not come should say so before it runs out of time itself.
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  const requests = requestsOf(page);
  (globalThis as TestGlobals).seenOnFailure = () => pageAsSeen(page, [...requests(), ...faults]);
  // What signing in does, without its form, which has its own tests.
  const answer = await context.request.post(`${url}/v1/session`, { data: { key } });
  if (!answer.ok()) throw new Error(`cannot sign in: ${answer.status()} ${await answer.text()}`);
  await page.goto(`${url}/#${path}`);
  await page.getByRole('status').waitFor();
  return {
    context,
    page,
    faults,
    async go(path) {
      await page.goto(`${url}/#${path}`);
    },
  };
}

/** Told of its requests: those that failed or were refused, and those that are not answered yet. */
function requestsOf(page: Page): () => string[] {
  const open = new Map<Request, number>();
  const told: string[] = [];
  const named = (request: Request) => `${request.method()} ${request.url()}`;
  page.on('request', (request) => open.set(request, Date.now()));
  page.on('requestfinished', (request) => open.delete(request));
  page.on('requestfailed', (request) => {
    open.delete(request);
    const why = request.failure()?.errorText;
    // Given up by the page itself, as it shows something else by now.
    if (why !== 'net::ERR_ABORTED') told.push(`${named(request)}: ${why}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) told.push(`${named(response.request())}: ${response.status()}`);
  });
  return () => [
    ...told,
    ...[...open].map(([request, since]) => `${named(request)}: open for ${Date.now() - since} ms`),
  ];
}

async function pageAsSeen(page: Page, notes: readonly string[]): Promise<string> {
  if (page.isClosed()) return '';
  const text = await page.locator('body').innerText({ timeout: 5_000 });
  return [`At ${page.url()} was to be seen:`, text, ...notes].join('\n');
}

/** What axe finds serious or worse on the page as it is. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // What is still fading in has no contrast yet.
  await eventually(async () => expect(await page.evaluate('document.getAnimations().length')).toBe(0));
  const found = await page.evaluate<{
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  }>(`(() => { ${AXE}; return axe.run({ resultTypes: ['violations'] }); })()`);
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Whether nothing stands out of the window at its side. */
export function fitsItsWidth(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');
}

/**
 * Looks at the page as it is on a desk in the light and on a phone in the dark; answers what axe finds serious in
 * either, and whether it fits. Keeps pictures where they are asked for.
 */
export async function findingsInEveryLight(page: Page, name: string): Promise<string[]> {
  const size = page.viewportSize()!;
  const found: string[] = [];
  await look(page, name);
  found.push(...(await seriousFindings(page)));
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await look(page, `${name}-dark`);
  await page.setViewportSize({ width: 360, height: 740 });
  await look(page, `${name}-phone-dark`);
  found.push(...(await seriousFindings(page)).map((finding) => `phone in the dark: ${finding}`));
  if (!(await fitsItsWidth(page))) found.push('phone: wider than its window');
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  return found;
}
