import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPluginProject } from './channel-plugins';
import { ConfigError } from './config.errors';

describe('the plugins that channels name', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'onhand-channel-plugins-'));
  const read = (text?: string, env = {}) => {
    if (text !== undefined) writeFileSync(join(cwd, 'onhand.yaml'), text);
    return readPluginProject({ env, cwd });
  };

  afterAll(() => rmSync(cwd, { recursive: true }));

  test('are none where there is no file', () => {
    expect(read()).toEqual({ folder: cwd, channels: [] });
  });

  test('are read although a secret is not set and other settings are wrong', () => {
    const text = `
server: { port: many }
channels:
  - { name: a, plugin: "@acme/shop", options: { token: "\${NOT_SET}" } }
  - { name: b, plugin: ./own, colour: red }
  - { name: c, plugin: "\${SHOP_PLUGIN}" }
  - { name: d }
  - nonsense
`;
    expect(read(text, { SHOP_PLUGIN: 'other-shop' }).channels).toEqual([
      { channel: 'a', plugin: '@acme/shop' },
      { channel: 'b', plugin: join(cwd, 'own') },
      { channel: 'c', plugin: 'other-shop' },
    ]);
  });

  test('are not guessed from a file that is no YAML', () => {
    expect(() => read('channels: [')).toThrow(ConfigError);
  });

  test('of a named file lie beside it', () => {
    writeFileSync(join(cwd, 'other.yaml'), 'channels: [{ name: a, plugin: ./own }]');
    const project = readPluginProject({ file: join(cwd, 'other.yaml'), env: {}, cwd: tmpdir() });
    expect(project).toEqual({ folder: cwd, channels: [{ channel: 'a', plugin: join(cwd, 'own') }] });
  });
});
