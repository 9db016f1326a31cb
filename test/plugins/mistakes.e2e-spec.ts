import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentsOf, onhand, pack, startRegistry, writePackage } from '../support/plugin-packages';
import { temporaryFolder } from '../support/test-server';

// Each test starts several processes, which take their time on a busy machine.
jest.setTimeout(60_000);

const MANIFEST = { name: 'shop', version: '1.0.0', main: 'index.js' };

/** A plugin in plain JavaScript; `fields` are laid over what makes it one. */
const plugin = (fields: Record<string, string> = {}, before = '') => `
  const api = require('onhand/channel-api');
  class Options {}
  ${before}
  module.exports = api.defineChannelPlugin({
    name: 'shop', version: '1.0.0', channelApi: '^1.0.0', options: Options,
    secrets: () => [], limits: () => [], capabilities: () => ({}), connect: () => ({}),
    ${Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}`)
      .join(', ')}
  });`;

const NESTED = `
  class Inner {}
  api.IsString()(Inner.prototype, 'word');
  Type(() => Inner)(Options.prototype, 'inner');
  api.ValidateNested()(Options.prototype, 'inner');`;

interface Mistake {
  readonly title: string;
  /** The package's files, in the folder `plugin` beside the project. */
  readonly files?: Record<string, string>;
  readonly manifest?: object;
  /** What is named instead of that folder. */
  readonly spec?: string;
  readonly env?: Record<string, string>;
  readonly says: RegExp;
}

const MISTAKES: readonly Mistake[] = [
  {
    title: 'a file that is not there',
    spec: './nothing.tgz',
    says: /There is nothing at .*nothing\.tgz\. Check the path/,
  },
  { title: 'a folder that is not there', spec: './nothing', says: /There is nothing at/ },
  { title: 'a folder without package.json', spec: '..', says: /is no npm package: it needs a package\.json/ },
  { title: 'an address', spec: 'https://shop.example/plugin.git', says: /neither a package such as/ },
  { title: 'a name that npm does not take', spec: 'No Plugin', says: /neither a package such as/ },
  { title: 'an option of npm as a name', spec: './--help.tgz', says: /There is nothing at/ },
  {
    title: 'a file that is not packed',
    spec: './onhand.yaml.tgz',
    says: /no packed npm package: it is not gzip/,
  },
  {
    title: 'a registry that does not answer',
    spec: '@nobody/nothing',
    says: /registry does not answer \(ECONNREFUSED\).*add a packed plugin/,
  },
  {
    title: 'no npm on PATH',
    files: { 'index.js': plugin() },
    env: { PATH: '/nowhere' },
    says: /npm is not on PATH/,
  },
  {
    title: 'a package without a version',
    manifest: { name: 'shop' },
    files: {},
    says: /with a name and a version/,
  },
  {
    title: 'a package whose version is none',
    manifest: { name: 'shop', version: 'new' },
    files: {},
    says: /Invalid version|name and a version/i,
  },
  {
    title: 'a package that is not built',
    files: {},
    says: /The plugin shop has no module to load; check that it is built/,
  },
  {
    title: 'a package that is no plugin',
    files: { 'index.js': 'module.exports = { name: "x" };' },
    says: /The plugin shop is no channel plugin: its default export lacks version, channelApi, options/,
  },
  {
    title: 'a plugin for another channel API',
    files: { 'index.js': plugin({ channelApi: "'^2.0.0'" }) },
    says: /was written for channel API \^2\.0\.0, this host has 1/,
  },
  {
    title: 'a plugin that throws',
    files: { 'index.js': "throw new Error('no good today');" },
    says: /The plugin shop throws when loaded: no good today\. Nothing was added/,
  },
  {
    title: 'a plugin that throws no error',
    files: { 'index.js': "throw { reason: 'odd' };" },
    says: /throws when loaded: it threw \{"reason":"odd"\} instead of an error/,
  },
  {
    title: 'a plugin that lacks a module',
    files: { 'index.js': "require('missing-module');" },
    says: /throws when loaded: Cannot find module 'missing-module'/,
  },
  {
    title: 'a plugin that reaches into the host',
    files: { 'index.js': "require('onhand/dist/src/main.js');" },
    says: /Cannot find module 'onhand\/dist/,
  },
  {
    title: 'a plugin that ends the process',
    files: { 'index.js': 'process.exit(0);' },
    says: /ends the process when loaded \(exit code 0\)/,
  },
  {
    title: 'a plugin that does not finish loading',
    manifest: { ...MANIFEST, type: 'module' },
    files: { 'index.js': 'setInterval(() => {}, 1000); await new Promise(() => {});' },
    says: /does not finish loading within 10 seconds/,
  },
  {
    title: 'a plugin for another class-validator',
    manifest: { ...MANIFEST, dependencies: { 'class-validator': '^0.9.0' } },
    files: { 'index.js': plugin() },
    says: /needs class-validator \^0\.9\.0, and this host lends it 0\./,
  },
  {
    title: 'nested options whose @Type the host cannot see',
    files: { 'index.js': plugin({}, `const Type = () => () => {}; ${NESTED}`) },
    says: /The options of the plugin shop are not usable: inner: is nested, but has no @Type that the host can see/,
  },
  {
    title: 'a dependency that cannot be had',
    manifest: { ...MANIFEST, dependencies: { '@nobody/nothing': '1.0.0' } },
    files: { 'index.js': plugin() },
    says: /What shop 1\.0\.0 needs cannot be fetched/,
  },
  {
    title: 'another version than the one added',
    manifest: { ...MANIFEST, name: 'added', version: '2.0.0' },
    files: { 'index.js': plugin() },
    says: /added is added already at 1\.0\.0\. To move its channels to 2\.0\.0, add it with --replace/,
  },
  {
    title: 'other content under the version added',
    manifest: { ...MANIFEST, name: 'added' },
    files: { 'index.js': `${plugin()}\n` },
    says: /added is added already with other content/,
  },
];

describe('adding', () => {
  let folder: string;
  let project: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    project = join(folder, 'project');
    await mkdir(project);
    await writeFile(join(project, 'onhand.yaml'), 'channels:\n  - name: shop\n    plugin: added\n');
    await writeFile(join(project, 'onhand.yaml.tgz'), 'channels: []\n');
    const added = await writePackage(
      join(folder, 'added'),
      { ...MANIFEST, name: 'added' },
      { 'index.js': plugin() },
    );
    expect(await onhand(['plugins', 'add', added], { cwd: project })).toMatchObject({ code: 0 });
  });

  afterEach(() => rm(join(folder, 'plugin'), { recursive: true, force: true }));
  afterAll(() => rm(folder, { recursive: true }));

  async function expectUntouched(
    spec: string,
    says: RegExp,
    env?: Record<string, string>,
    code = 1,
  ): Promise<void> {
    const before = await contentsOf(project);
    const answer = await onhand(['plugins', 'add', spec], { cwd: project, env });
    expect(answer.err).toMatch(says);
    expect(answer).toMatchObject({ code, out: '' });
    expect(answer.err).not.toMatch(/^\s+at /m);
    expect(await contentsOf(project)).toEqual(before);
  }

  test.each(MISTAKES)('$title is told, and leaves the project byte for byte as it was', async (mistake) => {
    const { spec = '../plugin', files, manifest = MANIFEST, env, says } = mistake;
    if (files) await writePackage(join(folder, 'plugin'), manifest, files);
    await expectUntouched(spec, says, env);
  });

  test('what the registry does not have is told by name and by version', async () => {
    const packed = await pack(
      await writePackage(join(folder, 'plugin'), MANIFEST, { 'index.js': plugin() }),
      folder,
    );
    const registry = await startRegistry({ shop: { version: '1.0.0', file: packed } });
    const env = { npm_config_registry: registry.url };
    try {
      await expectUntouched('@nobody/nothing', /@nobody\/nothing@latest is not in the registry/, env);
      await expectUntouched('shop@^9', /shop@\^9 is not in the registry: .*Check name and version/, env);
    } finally {
      await registry.close();
    }
  });

  test('a folder named like a package is pointed out', async () => {
    await mkdir(join(project, 'shop'));
    await expectUntouched('shop', /For the folder of that name write \.\/shop\./);
    await rm(join(project, 'shop'), { recursive: true });
  });

  test('a place where nothing can be written is told', async () => {
    const blocked = join(folder, 'blocked');
    await mkdir(blocked);
    await writeFile(join(blocked, 'onhand_plugins'), 'a file');
    const before = await contentsOf(blocked);
    const answer = await onhand(['plugins', 'add', '../added'], { cwd: blocked });
    expect(answer).toMatchObject({ code: 1, out: '' });
    expect(answer.err).toContain('onhand_plugins');
    expect(await contentsOf(blocked)).toEqual(before);
  });

  test.each([
    ['no JSON', '{', /expected JSON/],
    ['another format', '{"format": 2, "plugins": {}}', /expected "format": 1/],
    [
      'a name that leads elsewhere',
      '{"format": 1, "plugins": {"../x": {}}}',
      /expected the name of an npm package/,
    ],
    [
      'a pin without integrity',
      '{"format": 1, "plugins": {"x": {"version": "1.0.0", "source": "npm"}}}',
      /plugins\["x"\]\.integrity expected "sha512-"/,
    ],
  ])('a pins file with %s is told with exit code 2', async (_, text, says) => {
    const damaged = join(folder, 'damaged');
    await mkdir(damaged, { recursive: true });
    await writeFile(join(damaged, 'onhand.plugins.json'), text);
    for (const args of [['add', '../added'], ['list'], ['install'], ['remove', 'x']]) {
      const answer = await onhand(['plugins', ...args], { cwd: damaged });
      expect(answer).toMatchObject({ code: 2, out: '' });
      expect(answer.err).toMatch(says);
    }
    expect(await contentsOf(damaged)).toEqual({
      [join(damaged, 'onhand.plugins.json')]: Buffer.from(text).toString('base64'),
    });
  });

  test('the very same again changes nothing, and another version takes its place when that is asked', async () => {
    const before = await contentsOf(project);
    const again = await onhand(['plugins', 'add', '../added'], { cwd: project });
    expect(again).toMatchObject({ code: 0, out: 'added@1.0.0\n' });
    expect(again.err).toContain('is pinned and installed already');
    expect(await contentsOf(project)).toEqual(before);

    await writePackage(
      join(folder, 'plugin'),
      { ...MANIFEST, name: 'added', version: '2.0.0' },
      { 'index.js': plugin() },
    );
    const replaced = await onhand(['plugins', 'add', '../plugin', '--replace'], { cwd: project });
    expect(replaced).toMatchObject({ code: 0, out: 'added@2.0.0\n' });
    expect(replaced.err).toContain('Replaced 1.0.0 by added 2.0.0');
    const after = Object.keys(await contentsOf(project)).filter((path) => path.endsWith('package.json'));
    expect(after).toEqual([
      expect.stringMatching(/onhand_plugins\/added@2\.0\.0-[0-9a-f]{12}\/package\.json$/),
    ]);
  });

  test('no script of a package runs, and its dependencies are pinned with it', async () => {
    const fresh = join(folder, 'fresh');
    await mkdir(fresh);
    const ran = join(folder, 'ran');
    const script = `node -e "require('fs').writeFileSync('${ran}', '')"`;
    const scripts = Object.fromEntries(
      ['preinstall', 'install', 'postinstall', 'prepare', 'prepack'].map((name) => [name, script]),
    );
    const part = await pack(
      await writePackage(
        join(folder, 'part'),
        { name: 'part', version: '3.1.0', scripts },
        { 'index.js': 'module.exports = 3;' },
      ),
      folder,
    );
    const manifest = {
      ...MANIFEST,
      scripts,
      dependencies: { part: `file:${part}`, onhand: 'file:../..' },
      devDependencies: { '@nobody/nothing': '1' },
    };
    const text = plugin({}, "if (require('part') !== 3) throw new Error('no part');");
    await writePackage(join(folder, 'plugin'), manifest, { 'index.js': text });
    expect(await onhand(['plugins', 'add', '../plugin'], { cwd: fresh })).toMatchObject({ code: 0 });
    expect(existsSync(ran)).toBe(false);
    const before = await contentsOf(fresh);
    expect(Object.keys(before)).toEqual(
      expect.arrayContaining([expect.stringMatching(/shop@1\.0\.0-.*\/node_modules\/part\/index\.js$/)]),
    );
    await rm(join(fresh, 'onhand_plugins'), { recursive: true });
    expect(await onhand(['plugins', 'install'], { cwd: fresh })).toMatchObject({ code: 0 });
    expect(await contentsOf(fresh)).toEqual(before);
  });
});
