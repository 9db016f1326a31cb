import nock from 'nock';
import { describeChannelContract, networkOff } from 'onhand/channel-api/testing';
import plugin from './generic-rest.plugin';
import { startSimulator } from './simulator';

// The simulator listens there, and nothing else is to be called.
networkOff(nock, { allow: '127.0.0.1' });

describeChannelContract({
  plugin,
  startSimulator,
  without: ['compareAndSet', 'stockByLocation', 'subscribesWebhooks'],
});

describe('a shop with locations that compares before it sets', () => {
  describeChannelContract({
    plugin,
    startSimulator: (options) =>
      startSimulator({ locations: ['HALL', 'YARD'], compareAndSet: true, ...options }),
    without: ['subscribesWebhooks'],
  });
});
