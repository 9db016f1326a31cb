import { fork } from 'node:child_process';
import { join } from 'node:path';

/** What a plugin says of itself once loaded, or why it cannot be used. */
export type PluginVerdict =
  | { readonly ok: true; readonly name: string; readonly version: string; readonly channelApi: string }
  | { readonly ok: false; readonly reason: string };

const PROBE_WITHIN_MS = 20_000;
const KEPT_VARIABLES = ['PATH', 'Path', 'SystemRoot', 'TEMP', 'TMPDIR', 'TZ', 'LANG'];

/**
 * Loads a plugin in a process of its own and checks it: one that throws, never ends or ends the process does
 * no harm there. It is given none of the environment's secrets. `called` is its name in messages.
 */
export function probePlugin(plugin: string, folder: string, called = plugin): Promise<PluginVerdict> {
  const env = Object.fromEntries(KEPT_VARIABLES.map((name) => [name, process.env[name]]));
  const child = fork(join(__dirname, 'plugin-probe.js'), [plugin, folder, called], {
    cwd: folder,
    env,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve) => {
    let isSlow = false;
    let verdict: PluginVerdict | undefined;
    const timer = setTimeout(() => {
      isSlow = true;
      child.kill('SIGKILL');
    }, PROBE_WITHIN_MS);
    child.once('message', (message) => (verdict = message as PluginVerdict));
    child.once('error', (error) => (verdict = { ok: false, reason: error.message }));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const why = isSlow
        ? `does not finish loading within ${PROBE_WITHIN_MS / 1000} seconds`
        : `ends the process when loaded (${signal ?? `exit code ${code}`})`;
      resolve(verdict ?? { ok: false, reason: `the plugin ${called} ${why}` });
    });
  });
}
