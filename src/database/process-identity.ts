import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Says which process a pid stands for, so that a later process with the same pid is told apart:
 * `startedAt` is fixed at its start. Undefined when no such process lives (a zombie does not).
 */
export async function processIdentity(pid: number): Promise<{ pid: number; startedAt: string } | undefined> {
  if (process.platform === 'linux') return linuxIdentity(pid);
  if (process.platform === 'win32') return livesOnWindows(pid) ? { pid, startedAt: 'unknown' } : undefined;
  const found = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).catch(() => undefined);
  const [state, ...started] = found?.stdout.trim().split(/\s+/) ?? [];
  return !state || state.startsWith('Z') ? undefined : { pid, startedAt: started.join(' ') };
}

async function linuxIdentity(pid: number): Promise<{ pid: number; startedAt: string } | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (!line) return undefined;
  // The second field is the command in brackets and may hold spaces, so fields are counted after it:
  // state is the third and the start, in ticks since boot, the twenty-second (proc(5)).
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return { pid, startedAt: `${boot.trim()}/${fields[19]}` };
}

function livesOnWindows(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a live process, or an empty text where it cannot be read. */
export async function processCommand(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return command.replaceAll('\0', ' ');
  }
  if (process.platform === 'win32') return '';
  const found = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => undefined);
  return found?.stdout.trim() ?? '';
}
