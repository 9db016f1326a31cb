import nock from 'nock';
import { describeChannelContract } from 'onhand/channel-api/testing';
import plugin from './ebay.plugin';
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

describeChannelContract({
  plugin,
  startSimulator,
  without: ['compareAndSet', 'stockByLocation', 'secretRotation'],
});
