import { CommanderError, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config/config.errors';

/** How every command ends: 0 where all is well. */
export const EXIT = {
  /** What was asked for failed, or a check found something. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

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

/** The answer of a command, as JSON where it was asked for. */
export function tell(flags: { json?: boolean }, value: unknown, text: () => string): void {
  if (flags.json) printJson(value);
  else printAnswer(text());
}

/** What was asked for cannot be understood, or lacks something that only the one who asked can give. */
export class UsageError extends Error {
  readonly code: string = 'usage';
  readonly retryable = false;

  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** An error is told by its message; what commander found wrong it has told of itself. */
export function fail(error: unknown): void {
  const isUsage = error instanceof CommanderError;
  if (isUsage && error.exitCode === 0) return;
  if (!isUsage || error instanceof InvalidArgumentError) printNews(`\n${messageOf(error)}`);
  const isWrong = isUsage || error instanceof ConfigError || error instanceof UsageError;
  process.exitCode = isWrong ? EXIT.usage : EXIT.failed;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected = 'retryable' in error || 'code' in error;
  return isExpected ? error.message : (error.stack ?? error.message);
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
