import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pinnedFolder, PLUGINS_FOLDER } from '../channels/pinned-plugins';
import { type PluginPin, readPins, writePins } from '../config/plugin-pins';
import type { StagedPlugin } from './staged-plugin';

/**
 * Moves a staged plugin into the project and pins it. The new pins file, which takes the old one's place at
 * once, is the step that counts: when it fails, or any step before it, what was done is undone in reverse.
 */
export function placePlugin(project: string, { name, folder, pin }: StagedPlugin): void {
  const place = pinnedFolder(project, name, pin);
  const draft = `${place}.${process.pid}.new`;
  const aside = `${place}.${process.pid}.old`;
  const undo: (() => void)[] = [() => removeWhenEmpty(project)];
  try {
    mkdirSync(dirname(place), { recursive: true });
    undo.unshift(() => rmSync(draft, { recursive: true, force: true }));
    cpSync(folder, draft, { recursive: true, verbatimSymlinks: true });
    if (existsSync(place)) {
      renameSync(place, aside);
      undo.unshift(() => renameSync(aside, place));
    }
    renameSync(draft, place);
    undo.unshift(() => rmSync(place, { recursive: true, force: true }));
    const earlier = pinPlugin(project, name, pin);
    removeLeftOver(aside);
    const former = earlier && pinnedFolder(project, name, earlier);
    if (former !== undefined && former !== place) removeLeftOver(former);
  } catch (error) {
    for (const step of undo) step();
    throw error;
  }
}

/** Takes a plugin out of the pins, and then its files away. */
export function removePlugin(project: string, name: string, pin: PluginPin): void {
  const pins = new Map(readPins(project));
  pins.delete(name);
  writePins(project, pins);
  removeLeftOver(pinnedFolder(project, name, pin));
  removeWhenEmpty(project);
}

/** Read once more: another command may have pinned another plugin since this one began. */
function pinPlugin(project: string, name: string, pin: PluginPin): PluginPin | undefined {
  const pins = new Map(readPins(project));
  const earlier = pins.get(name);
  if (JSON.stringify(earlier) !== JSON.stringify(pin)) writePins(project, pins.set(name, pin));
  return earlier;
}

/** Files that nothing pins any more. Where they cannot be removed they are in the way of nothing. */
function removeLeftOver(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // The plugin is pinned or unpinned by now, and that is what was asked.
  }
}

function removeWhenEmpty(project: string): void {
  const folder = join(project, PLUGINS_FOLDER);
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
