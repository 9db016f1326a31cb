import type { BufferPolicy, BufferWindow } from '../config/buffer-policy';
import type { BufferSettings } from '../config/buffer.config';

/** A figure, and the policy that it comes from. */
export interface Setting<T> {
  value: T;
  policy: string;
}

/** What counts for one SKU on one channel, each figure with the policy that set it. */
export type EffectivePolicy = { readonly [K in keyof BufferSettings]: Setting<BufferSettings[K]> } & {
  readonly windows: Setting<readonly BufferWindow[]>;
};

/** Figures that come together, such as those of one policy. */
export interface PolicyLayer {
  name: string;
  settings: Partial<BufferSettings>;
  windows?: readonly BufferWindow[] | null;
}

/** `first` has every figure; each layer after it counts for what it sets. */
export function mergeLayers(first: PolicyLayer, more: readonly PolicyLayer[]): EffectivePolicy {
  const merged: Record<string, Setting<unknown>> = { windows: { value: [], policy: first.name } };
  for (const { name: policy, settings, windows } of [first, ...more]) {
    for (const [key, value] of Object.entries(settings)) merged[key] = { value, policy };
    if (windows) merged.windows = { value: windows, policy };
  }
  return merged as unknown as EffectivePolicy;
}

/** A policy for a SKU goes before one for a tag, that before one for a channel; beside that, naming the channel counts. */
export function specificity({ sku, tag, channel }: Pick<BufferPolicy, 'sku' | 'tag' | 'channel'>): number {
  return (sku === null ? 0 : 4) + (tag === null ? 0 : 2) + (channel === null ? 0 : 1);
}

/** The most specific last; of two alike the one whose name comes first is last, so that it counts. */
export function bySpecificity(a: BufferPolicy, b: BufferPolicy): number {
  return specificity(a) - specificity(b) || (a.name < b.name ? 1 : -1);
}
