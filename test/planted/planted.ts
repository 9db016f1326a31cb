import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { promisify } from 'node:util';
import { startTestServer } from '../support/test-server';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs';

const run = promisify(execFile);
const ROOT = resolve(__dirname, '../..');
const COPIED = ['src', 'plugins', 'test', 'migrations', 'templates', 'docs', 'bin', 'dist', 'node_modules'];
const TEST_WITHIN_MS = 240_000;
/** A mutation that does not even load proves nothing of the test. */
const NOT_AN_ASSERTION = /SyntaxError|ReferenceError|Cannot find module|is not a function/;

interface Report {
  success: boolean;
  numRuntimeErrorTestSuites: number;
  testResults: {
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

type Verdict = { caught: boolean; how: string };

/** `npm run planted [-- --only name]`: makes each mistake in a copy of the tree, and demands that its test fails. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const bugs = PLANTED_BUGS.filter(({ name }) => values.only === undefined || name === values.only);
  if (bugs.length === 0)
    throw new Error(`--only takes one of ${PLANTED_BUGS.map(({ name }) => name).join(', ')}`);
  const tree = await mkdtemp(join(tmpdir(), 'onhand-planted-'));
  // One server for all of them; each run migrates a database of its own on it.
  const server = await startTestServer();
  let missed = 0;
  try {
    await copyTree(tree);
    for (const bug of bugs) {
      const { caught, how } = await plant(tree, bug, server.url);
      if (!caught) missed += 1;
      process.stdout.write(`${caught ? 'caught' : 'MISSED'}  ${bug.name}: ${how}\n`);
    }
  } finally {
    await server.stop();
    await rm(tree, { recursive: true, force: true });
  }
  process.stdout.write(`\n${bugs.length - missed} of ${bugs.length} planted bugs were caught\n`);
  process.exitCode = missed === 0 ? 0 : 1;
}

/** By hard links: a file that is changed is written anew, so that ours stays as it is. */
async function copyTree(tree: string): Promise<void> {
  const files = (await run('git', ['ls-files', '--', '.'], { cwd: ROOT })).stdout;
  const top = files.split('\n').filter((path) => path !== '' && !path.includes('/'));
  await run('cp', [
    '-al',
    ...COPIED.map((name) => join(ROOT, name)),
    ...top.map((name) => join(ROOT, name)),
    tree,
  ]);
}

async function plant(tree: string, bug: PlantedBug, serverUrl: string): Promise<Verdict> {
  const path = join(tree, bug.file);
  const original = await readFile(path, 'utf8');
  const parts = original.split(bug.before);
  if (parts.length !== 2)
    return {
      caught: false,
      how: `what it replaces is ${parts.length - 1} times in ${bug.file}; look at the list`,
    };
  await rm(path);
  await writeFile(path, parts.join(bug.after));
  try {
    return await judge(tree, bug, serverUrl);
  } finally {
    await rm(path);
    await writeFile(path, original);
  }
}

async function judge(tree: string, { spec, test }: PlantedBug, serverUrl: string): Promise<Verdict> {
  const output = join(tree, 'report.json');
  await rm(output, { force: true });
  const pattern = test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const args = [
    'node_modules/.bin/jest',
    spec,
    '-t',
    pattern,
    '--json',
    '--outputFile',
    output,
    '--forceExit',
  ];
  const env = { ...process.env, TEST_DATABASE_URL: serverUrl };
  await run(process.execPath, args, { cwd: tree, env, timeout: TEST_WITHIN_MS, maxBuffer: 1 << 26 }).catch(
    () => undefined,
  );
  const text = await readFile(output, 'utf8').catch(() => undefined);
  if (text === undefined) return { caught: false, how: 'its test did not end' };
  return verdictOf(JSON.parse(text) as Report);
}

function verdictOf({ numRuntimeErrorTestSuites, testResults }: Report): Verdict {
  if (numRuntimeErrorTestSuites > 0)
    return { caught: false, how: `it does not load: ${testResults[0]?.message.slice(0, 500)}` };
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  const ran = all.filter(({ status }) => status === 'passed' || status === 'failed');
  const failed = ran.filter(({ status }) => status === 'failed');
  const [first] = failed;
  if (ran.length === 0) return { caught: false, how: 'no test has that title' };
  if (!first) return { caught: false, how: 'its test passes all the same' };
  const why = first.failureMessages.join('\n');
  if (NOT_AN_ASSERTION.test(why))
    return { caught: false, how: `its test fails for another reason: ${why.slice(0, 500)}` };
  return { caught: true, how: first.fullName };
}

main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
