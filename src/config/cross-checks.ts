import { readPolicy } from './buffer-policy';
import type { ChannelConfig } from './channel.config';
import type { Config } from './config';
import type { FaultCollector } from './fault-collector';
import type { KeyPath } from './key-path';
import { KPI_NAMES } from './kpi-names';
import { type OutboundConfig, readAllowedAddress } from './outbound.config';
import { receiverFaults } from './receiver.config';
import { ROLES, rolesOf } from './role';

/** The rules that look at more than one field. Fields that have a fault already are left out. */
export function checkAcrossFields(config: Config, faults: FaultCollector): void {
  checkRoleHasCompany(config, faults);
  if (!faults.has(['locations'])) {
    refuseRepeats(
      config.locations.map(({ code }) => code),
      (index) => ['locations', index, 'code'],
      'a code that no other location has',
      faults,
    );
  }
  checkAllowedAddresses(config.outbound, faults);
  checkTolerances(config.counts.tolerances, faults);
  checkPolicies(config, faults);
  checkKpiAims(config.alerts.kpis, faults);
  if (faults.has(['channels'])) return;
  checkReceivers(config, faults);
  refuseRepeats(
    config.channels.map(({ name }) => name),
    (index) => ['channels', index, 'name'],
    'a name that no other channel has',
    faults,
  );
  const codes = config.locations.map(({ code }) => code);
  config.channels.forEach((channel, index) => {
    checkPilotTags(channel, ['channels', index], faults);
    checkLocationMap(channel, ['channels', index], codes, faults);
  });
}

/** What one host leaves to others is never done where no other can reach its database. */
function checkRoleHasCompany({ role, database }: Config, faults: FaultCollector): void {
  if (faults.has(['role']) || database.url !== null || rolesOf(role).length === ROLES.length) return;
  faults.add(
    ['role'],
    'all, because the embedded PostgreSQL serves this host alone (or set database.url, which several hosts can share)',
    role,
  );
}

function refuseRepeats(
  values: readonly string[],
  pathOf: (index: number) => KeyPath,
  expected: string,
  faults: FaultCollector,
): void {
  values.forEach((value, index) => {
    const isRepeat = values.indexOf(value) !== index;
    if (isRepeat && !faults.has(pathOf(index))) faults.add(pathOf(index), expected, value);
  });
}

function checkAllowedAddresses({ allow }: OutboundConfig, faults: FaultCollector): void {
  if (faults.has(['outbound', 'allow'])) return;
  allow.forEach((text, index) => {
    const path = ['outbound', 'allow', index];
    const allowed = readAllowedAddress(text);
    if (typeof allowed === 'string' && !faults.has(path)) faults.add(path, allowed, text);
  });
}

function checkTolerances(tolerances: Readonly<Record<string, unknown>>, faults: FaultCollector): void {
  if (faults.has(['counts', 'tolerances'])) return;
  for (const [tag, units] of Object.entries(tolerances)) {
    const isUnits = Number.isSafeInteger(units) && (units as number) >= 0;
    if (!isUnits) faults.add(['counts', 'tolerances', tag], 'a whole number of units, 0 or more', units);
  }
}

function checkKpiAims(kpis: Readonly<Record<string, unknown>>, faults: FaultCollector): void {
  if (faults.has(['alerts', 'kpis'])) return;
  for (const [name, most] of Object.entries(kpis)) {
    const isKnown = (KPI_NAMES as readonly string[]).includes(name);
    if (!isKnown) faults.add(['alerts', 'kpis', name], `a KPI: one of ${KPI_NAMES.join(', ')}`, name);
    const isAim = most === null || (typeof most === 'number' && most >= 0);
    if (!isAim) faults.add(['alerts', 'kpis', name], 'a number, 0 or more, or null for no alert', most);
  }
}

function checkPolicies({ buffers: { policies }, channels }: Config, faults: FaultCollector): void {
  if (faults.has(['buffers', 'policies'])) return;
  policies.forEach((written, index) => {
    const path = ['buffers', 'policies', index];
    const read = readPolicy(written);
    if ('faults' in read) {
      for (const { path: at, expected, found } of read.faults)
        if (!faults.has([...path, ...at])) faults.add([...path, ...at], expected, found);
      return;
    }
    const { channel } = read.policy;
    if (channel !== null && !channels.some(({ name }) => name === channel))
      faults.add([...path, 'channel'], 'the name of a channel under "channels"', channel);
  });
  refuseRepeats(
    policies.map((policy) => policy?.name),
    (index) => ['buffers', 'policies', index, 'name'],
    'a name that no other policy has',
    faults,
  );
}

function checkReceivers({ receivers, channels }: Config, faults: FaultCollector): void {
  if (faults.has(['receivers'])) return;
  const names = channels.map(({ name }) => name);
  refuseRepeats(
    receivers.map(({ name }) => name),
    (index) => ['receivers', index, 'name'],
    'a name that no other receiver has',
    faults,
  );
  receivers.forEach((receiver, index) => {
    const hasListFault = ['events', 'channels', 'secrets', 'to'].some((key) =>
      faults.has(['receivers', index, key]),
    );
    if (hasListFault) return;
    for (const { path: at, expected, found } of receiverFaults(receiver, names)) {
      const path = ['receivers', index, ...at];
      if (faults.has(path)) continue;
      if (found === undefined) faults.addWithoutValue(path, expected);
      else faults.add(path, expected, found);
    }
  });
}

function checkPilotTags(channel: ChannelConfig, path: KeyPath, faults: FaultCollector): void {
  if (channel.mode !== 'pilot' || faults.has([...path, 'pilotTags'])) return;
  if (channel.pilotTags.length > 0) return;
  faults.addKind([...path, 'pilotTags'], 'at least one SKU tag, because the mode is pilot', undefined);
}

function checkLocationMap(
  channel: ChannelConfig,
  path: KeyPath,
  codes: readonly string[],
  faults: FaultCollector,
): void {
  if (faults.has([...path, 'locations'])) return;
  for (const [place, code] of Object.entries(channel.locations)) {
    const entry = [...path, 'locations', place];
    if (codes.includes(code) || faults.has(entry)) continue;
    faults.add(entry, `the code of a location under "locations" (${codes.join(', ')})`, code);
  }
}
