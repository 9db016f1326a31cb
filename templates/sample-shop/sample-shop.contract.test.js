import { describe, it } from 'node:test';
import { describeChannelContract } from 'onhand/channel-api/testing';
import plugin from './sample-shop.plugin.js';
import { startSimulator } from './simulator/index.js';

// The suite that `onhand plugins check` runs. What only this shop does is tested beside it, with it() as here.
describeChannelContract(
  { plugin, startSimulator, without: ['compareAndSet', 'stockByLocation'] },
  { describe, it },
);
