import nock from 'nock';
import { describeChannelContract, networkOff } from 'onhand/channel-api/testing';
import plugin from './shopify.plugin';
import { startSimulator } from './simulator';

// The simulator listens there, and nothing else is to be called.
networkOff(nock, { allow: '127.0.0.1' });

/** A large shop's points, so that the suite does not wait for them. */
const bucket = { maximumAvailable: 20_000, restoreRate: 2_000 };

describeChannelContract({
  plugin,
  startSimulator: (options) => startSimulator({ bucket, ...options }),
});
