import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { onhandProgram } from './cli';
import { JsonOption } from './cli/options';
import { fail } from './cli/output';
import { table } from './cli/table';

/** `start` runs until it is stopped, and its log is JSON where it is no terminal; a script for a shell is a script. */
const WITHOUT_JSON = ['start', 'completion'];

function leavesOf(command: Command, path: string[] = []): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path: path.join(' '), command }];
  return command.commands.flatMap((sub) => leavesOf(sub, [...path, sub.name()]));
}

/** What a command line says, and the exit code it would end with. */
async function said(...words: string[]): Promise<{ out: string; news: string; code: unknown }> {
  const out: string[] = [];
  const news: string[] = [];
  const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
  const error = jest.spyOn(console, 'error').mockImplementation((text: string) => void news.push(text));
  const stdout = jest.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  const stderr = jest
    .spyOn(process.stderr, 'write')
    .mockImplementation((text) => news.push(String(text)) > 0);
  try {
    await onhandProgram().parseAsync(words, { from: 'user' }).catch(fail);
    return { out: out.join('\n'), news: news.join('\n'), code: process.exitCode };
  } finally {
    process.exitCode = undefined;
    for (const mock of [log, error, stdout, stderr]) mock.mockRestore();
  }
}

test('every command that answers has --json, with the shape of what it prints', () => {
  const leaves = leavesOf(onhandProgram());
  const without = leaves.filter(
    ({ command }) => !command.options.some((option) => option instanceof JsonOption && option.shape !== ''),
  );
  expect(without.map(({ path }) => path).sort()).toEqual([...WITHOUT_JSON].sort());
  expect(leaves.length).toBeGreaterThan(50);
});

test('what is misspelt is answered with what was meant, and exit code 2', async () => {
  const command = await said('kyes');
  expect(command.news).toMatch(/unknown command 'kyes'[^]*Did you mean keys\?/);
  const option = await said('keys', 'list', '--jsn');
  expect(option.news).toMatch(/unknown option '--jsn'[^]*Did you mean --json\?/);
  const value = await said('reserve', 'MUG');
  expect(value.news).toMatch(/Expected SKU=quantity, such as MUG-RED=2/);
  const none = await said('keys');
  expect([command.code, option.code, value.code, none.code]).toEqual([2, 2, 2, 2]);
});

test('help and version end with 0, and help tells the exit codes', async () => {
  const help = await said('--help');
  expect(help.out).toMatch(/Exit codes: 0 all is well/);
  const version = await said('--version');
  expect(version.out).toMatch(/^\d+\.\d+\.\d+/);
  expect([help.code, version.code]).toEqual([undefined, undefined]);
});

test('a host that is not there is told with what to do, and exit code 1', async () => {
  const { news, code } = await said('keys', 'list', '--url', 'http://127.0.0.1:9');
  expect(news).toMatch(/No host answers at http:\/\/127\.0\.0\.1:9[^]*onhand start/);
  expect(code).toBe(1);
});

describe('a table', () => {
  const rows = [
    { name: 'a', units: 5, text: 'x'.repeat(60) },
    { name: 'bcd', units: 12, text: 'two\nlines' },
  ];
  const columns = {
    name: (row: (typeof rows)[0]) => row.name,
    units: (row: (typeof rows)[0]) => row.units,
    text: (row: (typeof rows)[0]) => row.text,
  };

  test('is whole and without colours where it is no terminal', () => {
    expect(table(rows, columns, {})).toBe(
      `name  units  text\na         5  ${'x'.repeat(60)}\nbcd      12  two lines`,
    );
  });

  test('fits a terminal by cutting its widest column', () => {
    const lines = table(rows, columns, { isTTY: true, columns: 40 }).split('\n');
    expect(lines.slice(1).map((line) => line.length)).toEqual([40, 22]);
    expect(lines[1]).toMatch(/x…$/);
  });

  test('has bold names on a terminal, unless NO_COLOR is set', () => {
    const header = () => table(rows, columns, { isTTY: true, columns: 80 }).split('\n')[0];
    const { NO_COLOR, TERM } = process.env;
    try {
      Object.assign(process.env, { NO_COLOR: '', TERM: 'xterm' });
      expect(header()).toMatch(/^\u001b\[1mname/);
      process.env.NO_COLOR = '1';
      expect(header()).toMatch(/^name/);
    } finally {
      Object.assign(process.env, { NO_COLOR: NO_COLOR ?? '', TERM: TERM ?? '' });
    }
  });
});

describe('in bash', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'onhand-completion-'));
    writeFileSync(join(folder, 'onhand.bash'), (await said('completion', 'bash')).out);
    writeFileSync(join(folder, 'orders.csv'), '');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  /** What bash offers for each line, by the function that it runs itself. */
  function offeredFor(lines: readonly string[]): string[][] {
    const script = `source ./onhand.bash; for line; do COMP_LINE=$line; COMP_POINT=\${#line}; _onhand; echo "\${COMPREPLY[@]}"; done`;
    const bash = ['--norc', '-c', script, 'bash', ...lines];
    const text = execFileSync('bash', bash, { cwd: folder, encoding: 'utf8' });
    return text
      .trimEnd()
      .split('\n')
      .map((words) => words.split(' ').filter(Boolean));
  }

  test.each([
    ['onhand ke', ['keys']],
    ['onhand keys ', ['create', 'list', 'revoke', '--help']],
    ['onhand keys create till --sc', ['--scope']],
    ['onhand keys create till --scope stock:r', ['read']],
    ['onhand completion ', ['bash', 'zsh', 'fish', '--help']],
    ['onhand demo --orders o', ['onhand.bash', 'orders.csv']],
    ['onhand counts import or', ['orders.csv']],
    ['onhand keys create --scope stock:read --js', ['--json']],
  ])('%j is offered %j', (line, expected) => {
    expect(offeredFor([line])).toEqual([expected]);
  });

  test('every command and option of the tree is offered', () => {
    const leaves = leavesOf(onhandProgram());
    const offered = offeredFor(leaves.map(({ path }) => `onhand ${path} --`));
    const missing = leaves.flatMap(({ path, command }, at) =>
      command.options
        .filter(({ long }) => !offered[at]!.includes(long!))
        .map(({ long }) => `${path} ${long}`),
    );
    expect(leaves.length).toBe(offered.length);
    expect(missing).toEqual([]);
  });
});
