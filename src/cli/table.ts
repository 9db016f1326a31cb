/** What a column shows of a row; null and undefined are shown as nothing. */
export type Cell = string | number | boolean | null | undefined;

export type Columns<Row> = Readonly<Record<string, (row: Row) => Cell>>;

interface Terminal {
  isTTY?: boolean;
  columns?: number;
}

const GAP = '  ';
/** A column is not made narrower than this to make the others fit. */
const NARROWEST = 8;

/**
 * Rows under the names of their columns. Numbers stand right. On a terminal the widest columns are cut so that a row
 * is one line; in a file or a pipe nothing is.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: Columns<Row>,
  terminal: Terminal = process.stdout,
): string {
  const names = Object.keys(columns);
  const values = rows.map((row) => names.map((name) => columns[name]!(row)));
  const cells = values.map((row) => row.map((value) => String(value ?? '').replace(/\s+/g, ' ')));
  const isRight = names.map((_, at) => values.some((row) => typeof row[at] === 'number'));
  const widths = fitted(
    names.map((name, at) => Math.max(lengthOf(name), ...cells.map((row) => lengthOf(row[at]!)))),
    terminal.isTTY ? (terminal.columns ?? 80) : Infinity,
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => padded(cut(cell, widths[at]!), widths[at]!, isRight[at]!))
      .join(GAP)
      .trimEnd();
  return [bold(line(names), terminal), ...cells.map(line)].join('\n');
}

/** Colours are for terminals, and for those who did not turn them off (https://no-color.org). */
export function hasColours(terminal: Terminal = process.stdout): boolean {
  return terminal.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

function bold(text: string, terminal: Terminal): string {
  return hasColours(terminal) ? `\u001b[1m${text}\u001b[0m` : text;
}

/** Takes from the widest column as long as the line is too long. */
function fitted(widths: readonly number[], available: number): number[] {
  const result = [...widths];
  const gaps = GAP.length * (widths.length - 1);
  for (;;) {
    const excess = result.reduce((sum, width) => sum + width, gaps) - available;
    const widest = Math.max(...result);
    if (!(excess > 0) || widest <= NARROWEST) return result;
    const next = Math.max(NARROWEST, ...result.filter((width) => width < widest));
    result[result.indexOf(widest)] = Math.max(next - 1, widest - excess, NARROWEST);
  }
}

function cut(text: string, width: number): string {
  return lengthOf(text) <= width ? text : `${[...text].slice(0, width - 1).join('')}…`;
}

function padded(text: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return isRight ? space + text : text + space;
}

/** Letters, not UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length;
}
