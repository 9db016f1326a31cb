import type { Page } from 'playwright-core';

/** Each number but nought that stands on a page: where it leads, or why it says that it leads nowhere. */
const READ = `(() => {
  const unexplained = [];
  const targets = [];
  const around = (node) => (node.closest('tr, li, p, dl > div, h2, summary') ?? node).textContent.slice(0, 100);
  for (const number of document.querySelectorAll('.count')) {
    if (!/[1-9]/.test(number.textContent)) continue;
    const link = number.closest('a[href]');
    const { own } = number.dataset;
    const opens = number.closest('button, summary');
    if (link) targets.push(link.getAttribute('href'));
    else if (!own || (own === 'opens' && !opens)) unexplained.push(number.textContent + ' in: ' + around(number));
  }
  // Figures that were written as they are: any in a column of figures, in text what is nothing but a number.
  // Cells of other columns have names, and names may be numbers; the host's settings are what a file says.
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement, data } = texts.currentNode;
    const isFigure = parentElement.closest('td.number') ? /[1-9]/ : /^\\s*[-+]?[\\d.,]*[1-9][\\d.,]*\\s*%?\\s*$/;
    if (isFigure.test(data) && !parentElement.closest('.count, time, code, pre, option, th, td:not(.number), [aria-labelledby=host]'))
      unexplained.push(data + ' in: ' + around(parentElement));
  }
  return { unexplained, targets };
})()`;

/** Why a page is none that explains a number: it failed, is not there, or lists nothing of what was asked for. */
const PROBLEM = `(() => {
  const main = document.querySelector('main');
  const alert = main.querySelector('[role=alert]');
  if (alert) return alert.textContent;
  if (/There is no such page|No channel of that name|There is no such figure|Nobody has mapped it/.test(main.textContent))
    return 'there is no such page';
  const empty = /fits every filter|none like that|no such lines|in this time|is like that|had happened to it by then/;
  const none = [...main.querySelectorAll('.notice.empty')].find((notice) => empty.test(notice.textContent));
  return none ? none.textContent : main.querySelector('h1') ? null : 'it has no heading';
})()`;

/** Of the page itself: its policy lets nobody else wait for a text of its own. */
const SETTLED = `(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const until = performance.now() + 10_000;
  for (let quiet = 0; quiet < 2; await frame()) {
    const isBusy = document.querySelector('main [aria-busy=true]') || !document.querySelector('main h1');
    quiet = isBusy ? 0 : quiet + 1;
    if (performance.now() > until) throw new Error('still busy: ' + location.hash);
  }
})()`;

/** Until everything that the page reads is there. */
function settled(page: Page): Promise<void> {
  return page.evaluate(SETTLED);
}

/** Within the console as it is open, without loading it anew. */
async function goTo(page: Page, href: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(href)}`);
  await settled(page);
}

/** Opens what is folded, which has numbers too. */
async function unfold(page: Page): Promise<void> {
  await page.evaluate(
    `document.querySelectorAll('main details:not([open]) > summary').forEach((summary) => summary.click())`,
  );
  await settled(page);
}

interface Numbers {
  unexplained: string[];
  targets: string[];
}

async function numbersOf(page: Page, href: string): Promise<Numbers> {
  await goTo(page, href);
  await unfold(page);
  const { unexplained, targets } = await page.evaluate<Numbers>(READ);
  return { unexplained: unexplained.map((number) => `${href}: ${number}`), targets };
}

/**
 * Visits these pages and every page that a number on them leads to. Answers numbers that cannot be clicked through and
 * do not say why, links to what is no page or explains nothing, and the addresses of all links.
 */
export async function followNumbers(
  page: Page,
  paths: readonly string[],
): Promise<{ unexplained: string[]; astray: string[]; targets: string[] }> {
  const unexplained: string[] = [];
  const targets = new Set<string>();
  for (const path of paths) {
    const found = await numbersOf(page, `#${path}`);
    unexplained.push(...found.unexplained);
    for (const target of found.targets) targets.add(target);
  }
  const astray: string[] = [];
  for (const target of targets) {
    if (!target.startsWith('#/')) {
      astray.push(`${target}: leads out of the console`);
      continue;
    }
    await goTo(page, target);
    const problem = await page.evaluate<string | null>(PROBLEM);
    if (problem !== null) astray.push(`${target}: ${problem}`);
    unexplained.push(
      ...(await page.evaluate<Numbers>(READ)).unexplained.map((number) => `${target}: ${number}`),
    );
  }
  return { unexplained, astray, targets: [...targets] };
}
