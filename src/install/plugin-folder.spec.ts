import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentsOf } from '../../test/support/plugin-packages';
import { temporaryFolder } from '../../test/support/test-server';
import { hashFiles, pinFault, pinnedFolder } from '../channels/pinned-plugins';
import { type PluginPin, PINS_FILE, readPins } from '../config/plugin-pins';
import { placePlugin, removePlugin } from './plugin-folder';
import type { StagedPlugin } from './staged-plugin';

const INTEGRITY = `sha512-${Buffer.alloc(64).toString('base64')}`;

describe('placing a plugin', () => {
  let folder: string;
  let project: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    project = join(folder, 'project');
    mkdirSync(project);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function staged(version: string, text = 'module.exports = 1;'): StagedPlugin {
    const place = join(folder, `staged-${version}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'shop', version }));
    writeFileSync(join(place, 'index.js'), text);
    const pin: PluginPin = { version, source: 'npm', integrity: INTEGRITY, files: hashFiles(place) };
    return { name: 'shop', folder: place, pin };
  }

  /** The pins file is written beside itself first: a folder of that name makes the last step fail. */
  async function expectUndone(plugin: StagedPlugin): Promise<void> {
    const inTheWay = join(project, `.${PINS_FILE}.${process.pid}`);
    mkdirSync(inTheWay);
    const before = await contentsOf(project);
    expect(() => placePlugin(project, plugin)).toThrow(/EISDIR|directory/i);
    expect(await contentsOf(project)).toEqual(before);
    rmSync(inTheWay, { recursive: true });
  }

  test('leaves nothing when the pin cannot be written', async () => {
    await expectUndone(staged('1.0.0'));
  });

  test('leaves the version that was there when the pin of another cannot be written', async () => {
    const first = staged('1.0.0');
    placePlugin(project, first);
    await expectUndone(staged('2.0.0'));
    expect(pinFault(project, 'shop', first.pin)).toBeUndefined();
  });

  test('puts aside what lies in its place without being pinned, and gives that back on failure', async () => {
    const plugin = staged('1.0.0');
    const place = pinnedFolder(project, 'shop', plugin.pin);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'index.js'), 'left by a process that was killed');
    await expectUndone(plugin);
    placePlugin(project, plugin);
    expect(readFileSync(join(place, 'index.js'), 'utf8')).toBe('module.exports = 1;');
    expect(pinFault(project, 'shop', plugin.pin)).toBeUndefined();
  });

  test('keeps what another command has pinned meanwhile', () => {
    placePlugin(project, staged('1.0.0'));
    placePlugin(project, { ...staged('1.0.0'), name: 'other' });
    expect([...readPins(project).keys()]).toEqual(['other', 'shop']);
  });

  test('and removing it again leaves an empty project', async () => {
    const plugin = staged('1.0.0');
    placePlugin(project, plugin);
    removePlugin(project, 'shop', plugin.pin);
    expect(await contentsOf(project)).toEqual({});
  });

  test('of the same version with other files is a change of its folder, so neither overwrites the other', () => {
    const a = staged('1.0.0');
    const b = staged('1.0.0', 'module.exports = 2;');
    expect(pinnedFolder(project, 'shop', a.pin)).not.toBe(pinnedFolder(project, 'shop', b.pin));
  });
});
