import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const EXECUTABLE = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place));

/** Facts seen in a real browser, or a loud skip that says how to get one. */
export function describeWithBrowser(name: string, facts: () => void): void {
  if (!EXECUTABLE) {
    process.stderr.write(
      `\nSKIPPED: "${name}", because there is no Chromium. Install it: apt-get install -y chromium (or set CHROMIUM)\n\n`,
    );
  }
  (EXECUTABLE ? describe : describe.skip)(name, facts);
}

export function startBrowser(): Promise<Browser> {
  // Chromium refuses its sandbox to root, which containers run tests as.
  return chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] });
}

/** Kept for a person to look at, where SCREENSHOTS names a folder. */
export async function look(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
