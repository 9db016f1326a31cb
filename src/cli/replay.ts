import { EXIT, printNews, ProgressLine, tell } from './output';
import type { ReplayProgress } from '../replay/replay';
import { isGood, type Summary } from '../replay/summary';
import { summaryText } from '../replay/summary-text';

/** Of a replay's summary, as JSON. */
export const SUMMARY_SHAPE =
  '{source, seed, documents, lines, orders, skus, webhooks, duplicatesIgnored, events, eventsByType, shortfalls, ' +
  'channelEqual, differing, differences, channelCalls, quiet, verified, seconds, …}';

/** What the help says about the files that can be replayed. */
export const FILE_HELP = `
The file is CSV in UTF-8 with the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice
and Country, as in "Online Retail" (Chen, D., 2015, UCI Machine Learning Repository,
https://doi.org/10.24432/C5BW33, licence CC BY 4.0). What its lines become:

  invoice              an order, by signed webhook at its first date, shipped 24 hours later
  invoice C…           a return to quarantine, inspected and put back 48 hours later
  negative, no price   a count correction with the description as its reason
  other codes          no stock: left out and counted. A stock code starts with five digits, or with DCGS

Every SKU starts with as much stock as the file ever takes out; --opening scales that.`;

/** Shows how far a replay has come. */
export function progressTeller(line: ProgressLine): (progress: ReplayProgress) => void {
  let phase = '';
  return (progress) => {
    if (progress.phase !== phase) line.say(opening(progress));
    phase = progress.phase;
    if (progress.phase === 'orders') {
      const { done, total, fileTime, webhooks } = progress;
      const percent = String(Math.floor((100 * done) / Math.max(total, 1))).padStart(3);
      line.show(
        () =>
          `${percent} %  ${fileTime.slice(0, 16).replace('T', ' ')}  ${done}/${total} steps, ${webhooks} webhooks`,
      );
    }
    if (progress.phase === 'quiet') {
      line.show(() => `${progress.received} webhooks to apply, ${progress.dirty} listings to push`);
    }
  };
}

/** Prints the summary, and sets the exit code by it. */
export function tellSummary(summary: Summary, title: string, asJson: boolean): void {
  tell({ json: asJson }, summary, () => `\n${title}\n\n${summaryText(summary)}\n`);
  if (!isGood(summary)) process.exitCode = EXIT.failed;
}

/**
 * Runs with a signal that Ctrl-C and a request to end abort, so that everything started can be taken down.
 * The exit code is then 130.
 */
export async function interruptible(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupted = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const stop = () => {
    if (!interrupted.signal.aborted) printNews('\nInterrupted; cleaning up.');
    interrupted.abort();
  };
  for (const signal of signals) process.on(signal, stop);
  try {
    await run(interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.exitCode = EXIT.interrupted;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

function opening(progress: ReplayProgress): string {
  if (progress.phase === 'stock') return `posting the opening stock of ${progress.skus} SKUs`;
  if (progress.phase === 'orders') return `replaying ${progress.total} steps`;
  return 'waiting until every webhook is applied and every listing pushed';
}
