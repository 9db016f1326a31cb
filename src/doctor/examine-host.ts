import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { satisfies } from 'semver';
import type { Config } from '../config/config';
import { fault, type Finding, good, warning } from './finding';
import { NODE_RANGE } from '../version';

const LEAST_FREE_BYTES = 2 * 1024 ** 3;
const ANSWER_WITHIN_MS = 5_000;

export function examineNode(version = process.versions.node): Finding {
  if (satisfies(version, NODE_RANGE)) return good('node', `Node.js ${version}`);
  return fault(
    'node',
    `Node.js ${version}, and Onhand needs ${NODE_RANGE}`,
    'Install a current Node.js LTS (https://nodejs.org).',
  );
}

/** Whether somebody keeps this host's clock right; only Linux with systemd tells. */
export async function examineClock(): Promise<Finding[]> {
  try {
    const { stdout } = await promisify(execFile)(
      'timedatectl',
      ['show', '-p', 'NTPSynchronized', '--value'],
      {
        timeout: ANSWER_WITHIN_MS,
      },
    );
    if (stdout.trim() === 'yes') return [good('clock', 'kept in step by NTP')];
    if (stdout.trim() !== 'no') return [];
    return [
      warning(
        'clock',
        'nothing keeps this host in step with NTP, as far as systemd knows',
        '`timedatectl set-ntp true`, or chrony; in a container the machine around it keeps the clock.',
      ),
    ];
  } catch {
    return [];
  }
}

/** The embedded database grows in the data folder. */
export async function examineDisk({ database, dataDir }: Config): Promise<Finding[]> {
  if (database.url !== null) return [];
  const disk = await nearest(dataDir);
  if (disk === undefined) return [];
  const free = disk.bavail * disk.bsize;
  const told = `${(free / 1024 ** 3).toFixed(1)} GB are free for ${dataDir}`;
  if (free >= LEAST_FREE_BYTES) return [good('disk', told)];
  return [warning('disk', told, 'Free some, or set dataDir (ONHAND_DATA_DIR) to a folder on a larger disk.')];
}

/** Of the folder, or of the one that it will be made in. */
async function nearest(folder: string): Promise<{ bavail: number; bsize: number } | undefined> {
  try {
    return await statfs(folder);
  } catch {
    return dirname(folder) === folder ? undefined : nearest(dirname(folder));
  }
}

/** Asks for this host at the address that channels are told, the way that they would. */
export async function examinePublicUrl({ server: { publicUrl, port }, channels }: Config): Promise<Finding> {
  const subject = 'webhooks';
  if (publicUrl === null) {
    if (channels.length === 0)
      return good(subject, 'server.publicUrl is not set; it is needed once channels send webhooks');
    return warning(
      subject,
      'server.publicUrl is not set: channels cannot send webhooks, and orders come by polling alone',
      'Set it to the https address at which the channels reach this host.',
    );
  }
  const address = `${publicUrl}/health/live`;
  const proxy = `Let ${publicUrl} lead to port ${port} of this host: DNS, firewall and reverse proxy, with every path passed on.`;
  try {
    const response = await fetch(address, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      redirect: 'manual',
    });
    const text = await response.text();
    if (response.status === 200 && isOurs(text)) {
      if (publicUrl.startsWith('https:')) return good(subject, `${address} is answered by Onhand`);
      return warning(
        subject,
        `${address} is answered by Onhand, but not encrypted`,
        'Use https: most channels send webhooks nowhere else.',
      );
    }
    return fault(
      subject,
      `${address} is answered with ${response.status} by something that is not Onhand`,
      proxy,
    );
  } catch (error) {
    const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
    const why = cause?.code ?? cause?.message ?? message;
    return fault(
      subject,
      `nobody answers at ${address} (${why})`,
      `Start the host, if it does not run. ${proxy}`,
    );
  }
}

function isOurs(text: string): boolean {
  try {
    const { status, version } = JSON.parse(text) as { status?: unknown; version?: unknown };
    return status === 'ok' && typeof version === 'string';
  } catch {
    return false;
  }
}
