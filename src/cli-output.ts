import { ConfigError } from './config/config.errors';

/** Standard output is for answers alone, so that `--json` can be piped; all else goes to standard error. */
export function printAnswer(text: string): void {
  console.log(text);
}

export function printNews(text: string): void {
  console.error(text);
}

export function printJson(value: unknown): void {
  printAnswer(JSON.stringify(value, null, 2));
}

/** An error is told by its message; the exit code is 2 for a faulty configuration and 1 for all else. */
export function fail(error: unknown): void {
  const isExpected = error instanceof Error && ('retryable' in error || 'code' in error);
  const text =
    error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  printNews(`\n${text}`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}

/** Wraps a command's action: what it throws ends as a message and an exit code. */
export function action<Parameters extends unknown[]>(
  run: (...parameters: Parameters) => Promise<void>,
): (...parameters: Parameters) => Promise<void> {
  return (...parameters) => run(...parameters).catch(fail);
}

/** A line of progress: rewritten in place on a terminal, and at most every few seconds elsewhere. */
export class ProgressLine {
  private shownAt = 0;
  private isOpen = false;

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  show(text: () => string): void {
    const everyMs = this.stream.isTTY ? 100 : 5_000;
    if (Date.now() - this.shownAt < everyMs) return;
    this.shownAt = Date.now();
    if (!this.stream.isTTY) {
      this.stream.write(`  ${text()}\n`);
      return;
    }
    const width = (this.stream.columns ?? 80) - 3;
    this.stream.write(`\r\u001b[K  ${text().slice(0, width)}`);
    this.isOpen = true;
  }

  /** A line that stays. */
  say(text: string): void {
    this.end();
    this.stream.write(`  ${text}\n`);
  }

  end(): void {
    if (this.isOpen) this.stream.write('\r\u001b[K');
    this.isOpen = false;
    this.shownAt = 0;
  }
}
