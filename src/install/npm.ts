import { spawn } from 'node:child_process';
import { PluginInstallError, type PluginInstallCode } from './install.errors';

const NPM_WITHIN_MS = 300_000;

/** Scripts are off always: a package must not run anything before it has been looked at. */
const ALWAYS = [
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--loglevel=error',
  // npm would otherwise try for minutes where there is no network.
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=500',
  '--fetch-timeout=60000',
];

/** Runs npm in a folder. Throws `PluginInstallError`; `subject` is what its messages speak of. */
export async function runNpm(args: readonly string[], cwd: string, subject: string): Promise<void> {
  const isWindows = process.platform === 'win32';
  const all = [...args, ...ALWAYS].map((arg) => (isWindows ? `"${arg}"` : arg));
  // On Windows npm is a command file, which only a shell can run.
  const child = spawn('npm', all, { cwd, shell: isWindows, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-20_000);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), NPM_WITHIN_MS);
  const outcome = await new Promise<number | string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  clearTimeout(timer);
  if (outcome === 0) return;
  if (outcome === 'ENOENT' || /npm.{0,40}(?:not found|not recognized)/.test(said)) {
    throw new PluginInstallError(
      'npm-missing',
      'npm is not on PATH. It comes with Node.js; put it there, or add a packed plugin without dependencies: `onhand plugins add ./plugin.tgz`.',
    );
  }
  throw npmFault(said, outcome, subject);
}

const UNREACHABLE =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)$/;

function npmFault(said: string, outcome: number | string, subject: string): PluginInstallError {
  const lines = [...said.matchAll(/^npm (?:error|ERR!) ?(.*)$/gm)].map(([, line]) => line!.trim());
  const code = lines.map((line) => /^code (\S+)$/.exec(line)?.[1]).find((found) => found !== undefined) ?? '';
  const details = lines.filter((line) => line !== '' && !/^(?:code|errno|syscall|A complete log)/.test(line));
  const why = details[0] ?? `npm ended with ${outcome}`;
  const fault = (named: PluginInstallCode, message: string) => new PluginInstallError(named, message);
  if (code === 'E404' || code === 'ETARGET')
    return fault('plugin-not-found', `${subject} is not in the registry: ${why}. Check name and version.`);
  if (UNREACHABLE.test(code) || /network|socket|ECONNREFUSED|ENOTFOUND/.test(why)) {
    return fault(
      'registry-unreachable',
      `${subject} cannot be fetched, for the registry does not answer (${code || why}). Check the network and npm's settings, or add a packed plugin: \`onhand plugins add ./plugin.tgz\`.`,
    );
  }
  if (code === 'E401' || code === 'E403')
    return fault(
      'registry-unreachable',
      `${subject} cannot be fetched: the registry refuses (${why}). Check npm's credentials in .npmrc.`,
    );
  return fault(
    'npm-failed',
    `${subject} cannot be installed, says npm: ${details.slice(0, 3).join(' ') || why}`,
  );
}
