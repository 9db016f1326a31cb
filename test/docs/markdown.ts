/** Of a page that nobody writes by hand. */
export const HEADER = (command: string, source: string): string =>
  `\n<!-- Made by \`${command}\` from ${source}. Do not edit. -->`;

export function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/\n+/g, ' ')).join(' | ')} |`;
}

export function tableOf(names: readonly string[], rows: readonly string[]): string {
  return [row(...names), row(...names.map(() => '---')), ...rows].join('\n');
}
