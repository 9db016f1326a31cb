import { Writable } from 'node:stream';
import { type Logger, type LoggerOptions, pino } from 'pino';
import pretty from 'pino-pretty';
import { loadConfig } from '../config/load-config';
import { logging } from './logging';
import { readableMessage } from './log-lines';

/** Lines of a log with the host's own options, as a person would read them, or as JSON. */
async function logged(
  isPretty: boolean,
  write: (log: Pick<Logger, 'info' | 'warn'>) => void,
): Promise<string[]> {
  const base = loadConfig({ env: {}, cwd: '/nowhere' });
  const config = { ...base, log: { level: 'info' as const, pretty: isPretty } };
  const [{ transport: _, ...options }] = logging(config).pinoHttp as unknown as [LoggerOptions];
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().split('\n'));
      done();
    },
  });
  const stream = isPretty
    ? pretty({ destination: sink, colorize: false, ignore: 'pid,hostname', sync: true })
    : sink;
  write(pino(options, stream));
  await new Promise((later) => setTimeout(later, 20));
  return lines.filter((line) => line !== '');
}

const FORGED =
  'refused: A\r\n[12:00:00.000] INFO: key created\u001b[2K\u2028{"level":30,"msg":"forged"}\u0085';

test.each([true, false])(
  'what a stranger sent cannot look like a line of the log (for people: %s)',
  async (isPretty) => {
    const lines = await logged(isPretty, (log) => {
      log.info(FORGED);
      log.warn({ requestId: 'r', msg: FORGED });
      log.warn({ context: 'channel shop' }, FORGED);
      log.info('the next one');
    });
    const own = lines.filter((line) => /^(\{"level"|\[)/.test(line));
    expect(own).toHaveLength(4);
    expect(
      lines.filter((line) => /^\s*(\[12:00|\{"level":30,"msg":"forged)/.test(line) && !/^\s{4}/.test(line)),
    ).toEqual([]);
    expect(lines.join('')).not.toMatch(/[\r\u001b\u0085\u2028]/);
  },
);

test('a message of several lines stays readable, and indented', () => {
  expect(readableMessage('cannot be used:\n  - line 2\n\tline 3')).toBe(
    'cannot be used:\n      - line 2\n    \tline 3',
  );
});
