import nock from 'nock';
import { describeChannelContract } from 'onhand/channel-api/testing';
import plugin from './shopify.plugin';
import { startSimulator } from './simulator';

beforeAll(() => {
  nock.disableNetConnect();
  // The simulator listens there, and nothing else is to be called.
  nock.enableNetConnect('127.0.0.1');
});

afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

/** A large shop's points, so that the suite does not wait for them. */
const bucket = { maximumAvailable: 20_000, restoreRate: 2_000 };

describeChannelContract({
  plugin,
  startSimulator: (options) => startSimulator({ bucket, ...options }),
});
