import { pinFault } from '../channels/pinned-plugins';
import { probePlugin } from '../channels/probe-plugin';
import { type PluginPin, readPins } from '../config/plugin-pins';
import { PluginInstallError } from './install.errors';
import { placePlugin } from './plugin-folder';
import { packPinned, packPlugin } from './plugin-source';
import { type StagedPlugin, stagePlugin, withStaging } from './staged-plugin';
import { integrityOf } from './tarball';

export interface AddedPlugin {
  readonly name: string;
  readonly pin: PluginPin;
  readonly channelApi: string;
  /** The version it took the place of. */
  readonly replaced?: string;
  /** False where the very same was pinned and installed already. */
  readonly isNew: boolean;
}

/**
 * Installs and pins a plugin: packed, unpacked, installed and loaded outside of the project, which is touched
 * only once all of that went well. Throws `PluginInstallError` or `ConfigError`, with the project as it was.
 */
export function addPlugin(
  spec: string,
  { cwd, project, replace }: { cwd: string; project: string; replace: boolean },
): Promise<AddedPlugin> {
  // Read first, for a damaged pins file is to be told before anything is fetched.
  const pins = readPins(project);
  return withStaging(async ({ work, folder }) => {
    const packed = await packPlugin(spec, { cwd, project, work });
    const staged = await stagePlugin(packed, { folder, project });
    const { name, pin } = staged;
    const channelApi = await requirePlugin(staged);
    const earlier = pins.get(name);
    if (earlier === undefined) placePlugin(project, staged);
    else if (isSame(earlier, pin)) {
      if (pinFault(project, name, earlier) !== undefined) await putBack(project, name, earlier);
      return { name, pin: earlier, channelApi, isNew: false };
    } else if (replace) placePlugin(project, staged);
    else throw pinnedOtherwise(name, earlier, pin);
    return { name, pin, channelApi, isNew: true, ...(earlier && { replaced: earlier.version }) };
  });
}

/**
 * Installs what is pinned and not there as it should be, such as after a fresh checkout; answers the names.
 * Throws `PluginInstallError` where a pinned plugin cannot be had any more as it was.
 */
export async function installPinned(project: string): Promise<string[]> {
  const broken = [...readPins(project)].filter(([name, pin]) => pinFault(project, name, pin) !== undefined);
  for (const [name, pin] of broken) await putBack(project, name, pin);
  return broken.map(([name]) => name);
}

async function putBack(project: string, name: string, pin: PluginPin): Promise<void> {
  await withStaging(async ({ work, folder }) => {
    const tarball = await packPinned(name, pin, { project, work });
    if (integrityOf(tarball) !== pin.integrity) throw changed(name, pin, 'the package');
    const staged = await stagePlugin({ tarball, source: pin.source }, { folder, project, lock: pin.lock });
    if (staged.name !== name || staged.pin.files !== pin.files) throw changed(name, pin, 'what is in it');
    placePlugin(project, { ...staged, pin });
  });
}

async function requirePlugin({ name, folder }: StagedPlugin): Promise<string> {
  const verdict = await probePlugin(folder, folder, name);
  if (verdict.ok) return verdict.channelApi;
  throw new PluginInstallError('plugin-unusable', `${sentence(verdict.reason)} Nothing was added.`);
}

/** The dependencies of the same package may have newer versions by now; what is pinned stays. */
function isSame(a: PluginPin, b: PluginPin): boolean {
  return a.version === b.version && a.integrity === b.integrity;
}

function pinnedOtherwise(name: string, earlier: PluginPin, pin: PluginPin): PluginInstallError {
  const what = earlier.version === pin.version ? 'with other content' : `at ${earlier.version}`;
  return new PluginInstallError(
    'plugin-pinned-otherwise',
    `${name} is added already ${what}. To move its channels to ${pin.version}, add it with --replace.`,
  );
}

function changed(name: string, { source, version, integrity }: PluginPin, what: string): PluginInstallError {
  return new PluginInstallError(
    'plugin-changed',
    `${name} ${version} from ${source} is not what was pinned (${integrity.slice(0, 20)}…): ${what} differs. ` +
      'Get the package that was pinned, or pin this one with `onhand plugins add … --replace` once you trust it.',
  );
}

function sentence(text: string): string {
  const begun = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
