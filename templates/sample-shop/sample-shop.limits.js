/**
 * What the shop allows, as data: the host waits for it before each call, over all of its processes.
 * @param {import('./sample-shop.options.js').Options} options
 * @returns {import('onhand/channel-api').RateLimit[]}
 */
export function limits({ callsPerSecond, burst }) {
  return [{ name: 'api', perSecond: callsPerSecond, burst }];
}
