import { describeChannelContract } from 'onhand/channel-api/testing';
import plugin from './generic-rest.plugin';
import { startSimulator } from './simulator';

describeChannelContract({
  plugin,
  startSimulator,
  signatureHeader: 'x-shop-signature',
  wrongCredentials: { auth: { kind: 'bearer', token: 'a-token-the-shop-does-not-know' } },
});
