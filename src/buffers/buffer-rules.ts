import { createHash } from 'node:crypto';
import type { BufferPolicy } from '../config/buffer-policy';
import { HostBufferConfig } from '../config/buffer.config';
import type { ChannelConfig } from '../config/channel.config';
import {
  bySpecificity,
  type EffectivePolicy,
  mergeLayers,
  type PolicyLayer,
  specificity,
} from './effective-policy';
import { edgesOf } from './time-window';

/** What the rules are made of. */
export interface RulesSource {
  host: HostBufferConfig;
  channels: readonly Pick<ChannelConfig, 'name' | 'ownBuffer'>[];
  /** Made by API and CLI; those of the file are in `host`. */
  made: readonly BufferPolicy[];
  /** Undefined where there is no such SKU yet. */
  skuIdOf: (code: string) => number | undefined;
  /** Tags of the SKUs that have any which a policy names. */
  tags: ReadonlyMap<number, readonly string[]>;
}

/** All policies at one moment, and which of them count for a SKU on a channel. */
export class BufferRules {
  /** Nothing is withheld. */
  static readonly none = new BufferRules({
    host: new HostBufferConfig(),
    channels: [],
    made: [],
    skuIdOf: () => undefined,
    tags: new Map(),
  });

  /** Those of the file first. */
  readonly policies: readonly BufferPolicy[];
  private readonly sorted: readonly BufferPolicy[];
  private readonly bySku = new Map<number, BufferPolicy[]>();
  private readonly cache = new Map<string, EffectivePolicy>();

  constructor(private readonly source: RulesSource) {
    this.policies = [...source.host.policies, ...source.made];
    this.sorted = [...this.policies].sort(bySpecificity);
    for (const policy of this.policies) {
      const skuId = policy.sku === null ? undefined : source.skuIdOf(policy.sku);
      if (skuId !== undefined) this.bySku.set(skuId, [...(this.bySku.get(skuId) ?? []), policy]);
    }
  }

  /** Whether any of them looks at sales. */
  get isMoving(): boolean {
    const layers = [this.source.host, ...this.source.channels.map(({ ownBuffer }) => ownBuffer)];
    return [...layers, ...this.policies.map(({ settings }) => settings)].some(
      ({ syncLatencies = 0, spikePercent = 0, confirmationSeconds = 0, floorPercent = 0 }) =>
        syncLatencies > 0 || spikePercent > 0 || confirmationSeconds !== 0 || floorPercent > 0,
    );
  }

  /** Tags that policies name. */
  get tags(): string[] {
    return [...new Set(this.policies.flatMap(({ tag }) => tag ?? []))];
  }

  /** Of what the file says, so that a host that starts sees whether it says something else than before. */
  get fingerprint(): string {
    const { host, channels } = this.source;
    const text = JSON.stringify([host, channels.map(({ name, ownBuffer }) => [name, ownBuffer])]);
    return createHash('sha256').update(text).digest('hex');
  }

  tagsOf(skuId: number): readonly string[] {
    return this.source.tags.get(skuId) ?? [];
  }

  /** SKUs whose tags are not the ones that these rules know them by. */
  retagged(since: BufferRules): number[] {
    const all = new Set([...this.source.tags.keys(), ...since.source.tags.keys()]);
    return [...all].filter((skuId) => this.tagsOf(skuId).join('\n') !== since.tagsOf(skuId).join('\n'));
  }

  /** These, in place of the ones made before with their names. */
  with(policies: readonly BufferPolicy[]): BufferRules {
    const names = new Set(policies.map(({ name }) => name));
    const kept = this.source.made.filter(({ name }) => !names.has(name));
    return new BufferRules({ ...this.source, made: [...kept, ...policies] });
  }

  /** With the tags of SKUs known anew. */
  withTags(tags: ReadonlyMap<number, readonly string[]>): BufferRules {
    return new BufferRules({ ...this.source, tags });
  }

  without(name: string): BufferRules {
    return new BufferRules({ ...this.source, made: this.source.made.filter((each) => each.name !== name) });
  }

  /** What counts for the SKU on the channel. */
  policyFor(channel: string, skuId: number): EffectivePolicy {
    const tags = this.tagsOf(skuId);
    const own = this.bySku.get(skuId);
    const key = `${channel}\n${tags.join('\n')}\n${own ? skuId : ''}`;
    let found = this.cache.get(key);
    if (!found) this.cache.set(key, (found = this.merge(channel, tags, own ?? [])));
    return found;
  }

  /** Policies with a window that opens, closes or takes a step after one moment and not after the other. */
  edgesBetween(afterMs: number, untilMs: number): BufferPolicy[] {
    return this.policies.filter(({ windows }) =>
      windows?.some((window) => edgesOf(window).some((edge) => edge > afterMs && edge <= untilMs)),
    );
  }

  /** The next such moment; undefined where there is none. */
  edgeAfter(nowMs: number): number | undefined {
    const edges = this.policies.flatMap(({ windows }) => windows?.flatMap(edgesOf) ?? []);
    const coming = edges.filter((edge) => edge > nowMs);
    return coming.length > 0 ? Math.min(...coming) : undefined;
  }

  private merge(channel: string, tags: readonly string[], own: readonly BufferPolicy[]): EffectivePolicy {
    const { rule: _rule, everySeconds: _every, policies: _policies, ...settings } = this.source.host;
    const name = `channel ${channel}`;
    const ownBuffer = this.source.channels.find((each) => each.name === channel)?.ownBuffer ?? {};
    const fitting = this.sorted.filter(
      (policy) =>
        (policy.channel === null || policy.channel === channel) &&
        (policy.tag === null || tags.includes(policy.tag)) &&
        (policy.sku === null || own.includes(policy)),
    );
    const layers: PolicyLayer[] = [
      ...fitting.filter((policy) => specificity(policy) === 0),
      { name, settings: ownBuffer },
      ...fitting.filter((policy) => specificity(policy) > 0),
    ];
    return mergeLayers({ name, settings }, layers);
  }
}
