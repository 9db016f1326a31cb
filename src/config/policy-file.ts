import { type BufferPolicy, readPolicy } from './buffer-policy';
import { ConfigError } from './config.errors';
import { FaultCollector } from './fault-collector';
import { isMapping } from './field-rules';
import { parseYaml } from './yaml-source';

const ADVICE = 'Correct them and try again; docs/buffers.md tells of every figure.';

/** The policies of a YAML text, as written, once all of them were checked. @throws ConfigError naming every fault. */
export function policiesInYaml(text: string, file: string): unknown[] {
  return checked(text, file).written;
}

/** The same, as they count. @throws ConfigError naming every fault. */
export function readPolicyFile(text: string, file: string): BufferPolicy[] {
  return checked(text, file).policies;
}

function checked(text: string, file: string): { written: unknown[]; policies: BufferPolicy[] } {
  const source = parseYaml(text);
  const faults = new FaultCollector(source.locate);
  const list = isMapping(source.value) ? source.value.policies : undefined;
  const written: unknown[] = Array.isArray(list) ? list : [];
  if (source.faults.length === 0 && written.length === 0)
    faults.addKind(['policies'], 'a list of policies, each starting with "- name:"', list);
  const policies = written.flatMap((each, index) => {
    const read = readPolicy(each);
    if ('policy' in read) return [read.policy];
    for (const { path, expected, found } of read.faults)
      faults.add(['policies', index, ...path], expected, found);
    return [];
  });
  const all = [...source.faults, ...faults.faults];
  if (all.length > 0) throw new ConfigError(file, all, ADVICE);
  return { written, policies };
}
