import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkTidy, RULES } from './support/tidy-rules';
import type { SourceText } from './support/tidy-source';

const ROOT = resolve(__dirname, '..');

function readSources(folder: string): SourceText[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : readSources(path);
    const isRead = entry.name.endsWith('.ts') || entry.name === 'package.json';
    return isRead ? [{ path, text: readFileSync(join(ROOT, path), 'utf8') }] : [];
  });
}

describe('the project', () => {
  const sources = ['src', 'plugins', 'test'].flatMap(readSources);

  test('files are found, so that nothing passes by not being read', () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['src/config/config.ts', 'src/channel-api/contract.ts', 'test/tidy.spec.ts']),
    );
  });

  test.each(RULES)('keeps the rule $name', (rule) => {
    const violations = checkTidy(sources, [rule]);
    expect(violations.map(({ path, line, rule: name, why }) => `${path}:${line} ${name} ${why}`)).toEqual([]);
  });
});

const PLUGIN_MANIFEST = {
  path: 'plugins/acme/package.json',
  text: JSON.stringify({
    dependencies: { sax: '1' },
    peerDependencies: { onhand: '*', 'class-validator': '0' },
  }),
};

interface Case {
  readonly rule: string;
  readonly path: string;
  readonly refused: readonly string[];
  readonly allowed: readonly string[];
}

const linesOf = (count: number): string => Array(count).fill('let x;').join('\n');
const functionOf = (lines: number): string => `function f() {\n${linesOf(lines - 2)}\n}`;

/** Text rules: each path with sources that the rule refuses and ones that it allows. */
const CASES: readonly Case[] = [
  {
    rule: 'plugin-imports',
    path: 'plugins/acme/acme.plugin.ts',
    refused: [
      "import { x } from '../../src/inventory/level';",
      "export * from '../ebay/ebay.client';",
      "import type { X } from 'pg';",
      "const x = await import('onhand');",
      "import fs = require('fs');",
      "import 'onhand/channel-api/testing';",
      "type X = import('../acme-two/x').X;",
    ],
    allowed: [
      "import { x } from 'onhand/channel-api';",
      "import { x } from './acme.client';",
      "import { x } from 'node:crypto';",
      "import { x } from 'sax';",
      "import { x } from 'class-validator/types';",
      '// import { x } from "pg"',
      'const text = `import { x } from "pg"`;',
    ],
  },
  {
    rule: 'plugin-imports',
    path: 'plugins/acme/acme.contract.spec.ts',
    refused: ["import { x } from '../../src/channel-api/contract';"],
    allowed: ["import { x } from 'onhand/channel-api/testing';", "import nock from 'nock';"],
  },
  {
    rule: 'plugin-imports',
    path: 'plugins/acme/acme.fixtures.ts',
    refused: ["import { x } from '../../src/channel-api/contract';"],
    allowed: ["import { x } from 'onhand/channel-api/testing';"],
  },
  {
    rule: 'plugin-imports',
    path: 'test/sample-plugin/channel.ts',
    refused: ["import { x } from '../../src/channel-api';", "import { x } from 'class-validator';"],
    allowed: ["import { x } from 'onhand/channel-api';", "import { x } from './orders';"],
  },
  {
    rule: 'no-plugin-by-name',
    path: 'src/channels/plugin-loader.ts',
    refused: [
      "import '@onhand/acme';",
      "require('../../plugins/acme/acme.plugin');",
      "import('@onhand/acme/simulator');",
    ],
    allowed: ["import { x } from '../channel-api/contract';", 'await import(specifier);'],
  },
  {
    rule: 'channel-api-alone',
    path: 'src/channel-api/contract.ts',
    refused: ["import { x } from '../config/config';", "export { x } from '../main';"],
    allowed: ["import { x } from './errors';", "import { x } from 'undici';"],
  },
  {
    rule: 'inventory-knows-no-channel',
    path: 'src/inventory/decide.ts',
    refused: [
      "import { x } from '../channels/listing.entity';",
      "jest.mock('../push/push.service');",
      "import '../buffers';",
    ],
    allowed: ["import { x } from '../database/data-source';", "import { x } from './level';"],
  },
  {
    rule: 'flow-rooms-apart',
    path: 'src/intake/inbox.service.ts',
    refused: ["import { x } from '../push/push.service';", "import type { X } from '../reconcile/drift';"],
    allowed: ["import { x } from '../inventory/ledger.service';", "import { x } from './inbox.entity';"],
  },
  {
    rule: 'scheduler-knows-when',
    path: 'src/scheduler/scheduler.service.ts',
    refused: ["import { x } from '../intake/inbox.service';", "import { x } from '../app.module';"],
    allowed: [
      "import { x } from '../jobs/jobs.service';",
      "import { x } from '../config/config';",
      "import 'rxjs';",
    ],
  },
  {
    rule: 'ledger-writers',
    path: 'src/intake/inbox.service.ts',
    refused: [
      'const sql = `INSERT INTO ledger (id) VALUES (${id})`;',
      "const sql = 'update levels set version = 1';",
      'const sql = `WITH x AS (\n  DELETE FROM ONLY public."levels") SELECT 1`;',
      "const sql = 'TRUNCATE TABLE skus, ledger';",
      "const sql = 'COPY ledger FROM STDIN';",
    ],
    allowed: [
      "const sql = 'SELECT * FROM ledger';",
      "const sql = 'UPDATE ledger_notes SET x = 1';",
      "const sql = 'INSERT INTO inbox SELECT 1 FROM levels FOR UPDATE';",
      '// update levels by posting a command',
    ],
  },
  {
    rule: 'ledger-writers',
    path: 'src/inventory/ledger.service.ts',
    refused: ["const sql = 'DELETE FROM ledger';"],
    allowed: ["const sql = 'UPDATE reservations SET state = 1';"],
  },
  {
    rule: 'ledger-writers',
    path: 'src/inventory/ledger-writer.ts',
    refused: [],
    allowed: ["const sql = 'INSERT INTO ledger DEFAULT VALUES';"],
  },
  { rule: 'short-files', path: 'src/config/a.ts', refused: [linesOf(401)], allowed: [`${linesOf(400)}\n`] },
  { rule: 'short-files', path: 'src/config/a.spec.ts', refused: [linesOf(601)], allowed: [linesOf(600)] },
  {
    rule: 'short-functions',
    path: 'src/config/a.ts',
    refused: [
      functionOf(71),
      `class A {\n m() {\n${linesOf(70)}\n}\n}`,
      `const f = () => {\n${linesOf(70)}\n};`,
    ],
    allowed: [functionOf(70), linesOf(100), `class A {\n${functionOf(60).replace('function ', '')}\n}`],
  },
  { rule: 'short-functions', path: 'src/config/a.spec.ts', refused: [], allowed: [functionOf(200)] },
  {
    rule: 'no-banned-words',
    path: 'src/config/a.ts',
    refused: ['// TODO: later', '/* FIXME */'],
    allowed: ['const todo = 1;', 'const TODOS = 1;'],
  },
  {
    rule: 'no-console',
    path: 'src/config/a.ts',
    refused: ["console.log('x');"],
    allowed: ["log.info('console.log');"],
  },
  { rule: 'no-console', path: 'src/cli/stock.ts', refused: [], allowed: ["console.log('x');"] },
  {
    rule: 'no-focused-tests',
    path: 'src/config/a.spec.ts',
    refused: ["test.only('x', f);", "describe.only.each([1])('x', f);", "fit('x', f);"],
    allowed: ["test('x.only(', f);", 'query.only();'],
  },
  {
    rule: 'no-any',
    path: 'src/config/a.ts',
    refused: ['let x: any;', 'f(x as any);', 'let x: Record<string, any>;'],
    allowed: ['let any = 1;', 'let x: unknown; // any', "let x = ': any';"],
  },
  { rule: 'no-any', path: 'src/config/a.spec.ts', refused: [], allowed: ['let x: any;'] },
  {
    rule: 'no-i-prefix',
    path: 'src/config/a.ts',
    refused: ['interface IChannel {}', 'type IThing = 1;', 'class IBuffer {}'],
    allowed: ['interface Inventory {}', 'interface IPAddress {}', 'class IntakeService {}'],
  },
];

/** Rules about names: the path is the case. */
const PATH_CASES = [
  {
    rule: 'known-rooms',
    refused: ['src/stuff/a.ts', 'src/commands/a.ts'],
    allowed: ['src/intake/a.ts', 'src/cli.ts'],
  },
  {
    rule: 'no-drawers',
    refused: ['src/utils/a.ts', 'src/intake/helpers/a.ts', 'plugins/acme/lib/a.ts', 'test/common/a.ts'],
    allowed: ['src/intake/a.ts', 'test/support/a.ts', 'src/config/common.ts'],
  },
  {
    rule: 'file-names',
    refused: [
      'src/push/pushWorker.ts',
      'src/push/push.repository.ts',
      'plugins/acme/other.client.ts',
      'src/push/Push.ts',
    ],
    allowed: [
      'src/push/push.worker.ts',
      'src/push/waterfall.ts',
      'src/push/push.service.spec.ts',
      'src/config/config.errors.ts',
      'plugins/acme/acme.client.ts',
      'plugins/acme/acme.contract.spec.ts',
      'plugins/acme/simulator/index.ts',
      'test/many-hosts.e2e-spec.ts',
    ],
  },
] as const;

/** The start of a source is enough to tell the cases of a rule apart. */
function titled<T>(rest: T, text: string): T & { text: string; title: string } {
  return { ...rest, text, title: `${text.split('\n', 1)[0]} (${text.split('\n').length} lines)` };
}

function violationsOf(rule: string, path: string, text: string): string[] {
  const rules = RULES.filter(({ name }) => name === rule);
  expect(rules).toHaveLength(1);
  return checkTidy([PLUGIN_MANIFEST, { path, text }], rules).map((violation) => violation.rule);
}

describe('the rules', () => {
  test.each(CASES.flatMap(({ refused, ...rest }) => refused.map((text) => titled(rest, text))))(
    '$rule refuses in $path: $title',
    ({ rule, path, text }) => {
      expect(violationsOf(rule, path, text)).toEqual([rule]);
    },
  );

  test.each(CASES.flatMap(({ allowed, ...rest }) => allowed.map((text) => titled(rest, text))))(
    '$rule allows in $path: $title',
    ({ rule, path, text }) => {
      expect(violationsOf(rule, path, text)).toEqual([]);
    },
  );

  test.each(PATH_CASES.flatMap(({ rule, refused }) => refused.map((path) => ({ rule, path }))))(
    '$rule refuses the path $path',
    ({ rule, path }) => {
      expect(violationsOf(rule, path, '')).toEqual([rule]);
    },
  );

  test.each(
    PATH_CASES.flatMap(({ rule, allowed }) => allowed.map((path) => ({ rule, path: path as string }))),
  )('$rule allows the path $path', ({ rule, path }) => {
    expect(violationsOf(rule, path, '')).toEqual([]);
  });

  test('every rule is shown refusing and allowing', () => {
    for (const { name } of RULES) {
      const cases = [...CASES, ...PATH_CASES].filter(({ rule }) => rule === name);
      expect([name, cases.some(({ refused }) => refused.length > 0)]).toEqual([name, true]);
      expect([name, cases.some(({ allowed }) => allowed.length > 0)]).toEqual([name, true]);
    }
  });

  test('a violation names the file, the line and the reason', () => {
    const source = {
      path: 'src/push/push.worker.ts',
      text: "\nimport { x } from '../intake/inbox.service';\n",
    };
    expect(checkTidy([source])).toEqual([
      {
        path: 'src/push/push.worker.ts',
        line: 2,
        rule: 'flow-rooms-apart',
        why: 'imports ../intake/inbox.service: push and intake meet through the ledger, tables and named jobs',
      },
    ]);
  });
});
