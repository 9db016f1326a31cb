import { checkChannels } from '../channels/check-channels';
import { packageNameOf, pinFault } from '../channels/pinned-plugins';
import type { Config } from '../config/config';
import { readPins } from '../config/plugin-pins';
import { examineDatabase, examineRedis } from './examine-stores';
import { fault, type Finding, good } from './finding';
import { examineClock, examineDisk, examineNode, examinePublicUrl } from './examine-host';

/** Looks at what a host needs, without starting one. */
export async function* examine(config: Config): AsyncGenerator<Finding> {
  yield examineNode();
  yield good('configuration', config.file ?? 'no onhand.yaml here: every setting has its default');
  yield* await examineDatabase(config);
  yield* await examineRedis(config);
  yield* await examineClock();
  yield* await examineDisk(config);
  yield* examinePlugins(config);
  yield await examinePublicUrl(config);
  yield* examineChannels(config);
}

/** What a channel cannot be served with is told of the channel, in the words of the loader. */
function* examinePlugins({ folder, channels }: Config): Generator<Finding> {
  const pins = readPins(folder);
  for (const [name, pin] of pins) {
    const problem = pinFault(folder, name, pin);
    if (problem === undefined) yield good('plugins', `${name} ${pin.version} is the one that is pinned`);
    else yield fault('plugins', problem, null);
  }
  const loose = new Set(
    channels.map(({ plugin }) => packageNameOf(plugin)).filter((name) => !pins.has(name)),
  );
  if (loose.size > 0) yield good('plugins', `not pinned, and loaded as they are: ${[...loose].join(', ')}`);
}

async function* examineChannels(config: Config): AsyncGenerator<Finding> {
  if (config.channels.length === 0)
    yield good('channels', 'onhand.yaml names none yet; add one under channels, or run `onhand init`');
  for await (const { channel, findings } of checkChannels(config))
    for (const { ok, message } of findings) yield ok ? good(channel, message) : fault(channel, message, null);
}
