import { checkChannels } from './channels/check-channels';
import type { Config } from './config/config';
import { describeUrl } from './database/connection-url';
import { waitForDatabase } from './database/data-source';

export interface Finding {
  /** `database`, `channels`, or the name of a channel. */
  subject: string;
  ok: boolean;
  /** What is proven; or what is wrong, and what to do. */
  message: string;
}

/** Looks at what a host needs, without starting one. */
export async function* examine(config: Config): AsyncGenerator<Finding> {
  yield await examineDatabase(config);
  if (config.channels.length === 0)
    yield { subject: 'channels', ok: true, message: 'onhand.yaml names none yet; add one under channels' };
  for await (const { channel, findings } of checkChannels(config))
    for (const finding of findings) yield { subject: channel, ...finding };
}

async function examineDatabase({ database: { url } }: Config): Promise<Finding> {
  const subject = 'database';
  if (url === null)
    return {
      subject,
      ok: true,
      message: 'PostgreSQL is embedded: a host starts its own, in its data folder',
    };
  try {
    await waitForDatabase(url, { log: quiet, warn: quiet, error: quiet }, 0);
    return { subject, ok: true, message: `${describeUrl(url)} takes connections` };
  } catch (error) {
    return { subject, ok: false, message: (error as Error).message };
  }
}

/** Findings say it all. */
const quiet = () => undefined;
