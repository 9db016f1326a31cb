import nock from 'nock';
import type { StartSimulator } from 'onhand/channel-api';
import { describeChannelContract, networkOff } from 'onhand/channel-api/testing';
import plugin from './amazon-sp-api.plugin';
import { startAmazon } from './simulator';

// The simulator listens there, and nothing else is to be called.
networkOff(nock, { allow: '127.0.0.1' });

/** A whole batch of the suite is one that goes row by row: a feed's rows are answered minutes later. */
const startSimulator: StartSimulator = async (options) => {
  const simulator = await startAmazon({ timeScale: 400, ...options });
  const pluginOptions = { ...simulator.pluginOptions, feeds: { maxMessages: 40 } };
  return Object.defineProperty(simulator, 'pluginOptions', { value: pluginOptions });
};

describeChannelContract({
  plugin,
  startSimulator,
  without: ['compareAndSet', 'stockByLocation', 'webhooks', 'secretRotation'],
});
