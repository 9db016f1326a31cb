import { dirname, resolve } from 'node:path';
import { bindConfig } from './bind-config';
import { BreakerConfig } from './breaker.config';
import { readPolicy } from './buffer-policy';
import { BufferConfig, HostBufferConfig, settingsOf } from './buffer.config';
import { absolutePlugin } from './channel-plugins';
import { ChannelConfig } from './channel.config';
import { Config, LocationConfig, ServerConfig } from './config';
import { type ConfigLocation, readConfigFile } from './config-file';
import { ConfigError, type ConfigFault } from './config.errors';
import { CountsConfig } from './counts.config';
import { checkAcrossFields } from './cross-checks';
import { deepFreeze } from './deep-freeze';
import { applyEnvironment, readAdminKey } from './environment';
import { FaultCollector } from './fault-collector';
import { isMapping } from './field-rules';
import { rolesOf } from './role';
import { readSecretKeys } from './secret-keys';
import { replaceVariables } from './variables';
import { parseYaml } from './yaml-source';

/**
 * Reads `onhand.yaml` and the environment into one validated, deep-frozen object. The file is `file`
 * (`--config`), or ONHAND_CONFIG, or `./onhand.yaml` where there is one, or none: every setting has a
 * default. @throws ConfigError naming every fault at once.
 */
export function loadConfig(location: ConfigLocation): Config {
  const file = readConfigFile(location);
  const source = parseYaml(file.text ?? '');
  const faults = new FaultCollector(source.locate);
  const adminKey = readAdminKey(location.env, faults);
  const secretKeys = readSecretKeys(location.env, faults);
  const written = replaceVariables(source.value, location.env, faults);
  const value = applyEnvironment(written, location.env, faults);
  const config = bindConfig(value, faults);
  checkAcrossFields(config, faults);
  const all = [...source.faults, ...faults.faults];
  if (all.length > 0) throw new ConfigError(file.path, all.sort(byLine));
  const origin: Origin = {
    file: file.path,
    folder: file.path === null ? location.cwd : dirname(file.path),
    cwd: location.cwd,
    written: isMapping(written) ? written : {},
    faults,
  };
  return deepFreeze(Object.assign(resolveConfig(config, origin), { adminKey, secretKeys }));
}

/** Faults of the environment have no line and come first. */
function byLine(a: ConfigFault, b: ConfigFault): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

interface Origin {
  readonly file: string | null;
  readonly folder: string;
  readonly cwd: string;
  /** The file's value with its `${VAR}` references replaced. */
  readonly written: Readonly<Record<string, unknown>>;
  readonly faults: FaultCollector;
}

/** Fills in what depends on where the file lies and on other settings. */
function resolveConfig(config: Config, origin: Origin): Config {
  const overridden = origin.faults.overrides.has('dataDir');
  const buffers = resolveBuffers(config.buffers, origin.written);
  return Object.assign(new Config(), config, {
    server: Object.assign(new ServerConfig(), config.server, {
      publicUrl: config.server.publicUrl?.replace(/\/+$/, '') ?? null,
    }),
    dataDir: resolve(overridden ? origin.cwd : origin.folder, config.dataDir),
    dataDirExplicit: overridden || origin.written.dataDir !== undefined,
    locations: config.locations.map((place) =>
      Object.assign(new LocationConfig(), place, { name: place.name.trim() || place.code }),
    ),
    counts: Object.assign(new CountsConfig(), config.counts, {
      folder: config.counts.folder === null ? null : resolve(origin.folder, config.counts.folder),
    }),
    buffers,
    channels: config.channels.map((channel, index) =>
      resolveChannel(channel, index, { ...config, buffers }, origin),
    ),
    roles: rolesOf(config.role),
    file: origin.file,
    folder: origin.folder,
    fromVariables: [...origin.faults.fromVariables],
  });
}

/** What the rule says, on top of it what is written; policies as they were checked. */
function resolveBuffers(buffers: HostBufferConfig, { buffers: entry }: Origin['written']): HostBufferConfig {
  const policies = buffers.policies.flatMap((each) => {
    const read = readPolicy(each);
    return 'policy' in read ? [read.policy] : [];
  });
  return Object.assign(new HostBufferConfig(), buffers, settingsOf(writtenIn(entry, buffers)), { policies });
}

/** Those of the values that the file's section names. */
function writtenIn<T extends object>(section: unknown, values: T): Partial<T> {
  const own = isMapping(section) ? Object.keys(section) : [];
  return Object.fromEntries(Object.entries(values).filter(([key]) => own.includes(key))) as Partial<T>;
}

function resolveChannel(
  channel: ChannelConfig,
  index: number,
  { buffers: { everySeconds: _every, policies: _policies, ...buffers }, breaker }: Config,
  { folder, written }: Origin,
): ChannelConfig {
  const channels: unknown = written.channels;
  const entry: unknown = Array.isArray(channels) ? channels[index] : undefined;
  const sections = isMapping(entry) ? entry : {};
  const ownBuffer = settingsOf(writtenIn(sections.buffer, channel.buffer));
  return Object.assign(new ChannelConfig(), channel, {
    plugin: absolutePlugin(channel.plugin, folder),
    listings: channel.listings === null ? null : resolve(folder, channel.listings),
    locations: Object.assign(Object.create(null) as Record<string, string>, channel.locations),
    buffer: Object.assign(new BufferConfig(), buffers, ownBuffer, { rule: channel.buffer.rule }),
    ownBuffer,
    breaker: Object.assign(new BreakerConfig(), breaker, writtenIn(sections.breaker, channel.breaker)),
  });
}
