import type { RateLimit } from 'onhand/channel-api';
import type { GenericRestOptions } from './generic-rest.options';

/** A shop of unknown make has one limit over all its calls. */
export function limits({ limit }: GenericRestOptions): RateLimit[] {
  return [{ name: 'api', perSecond: limit.perSecond, burst: limit.burst }];
}
