import amazon from '../../plugins/amazon-sp-api/amazon-sp-api.plugin';
import { startAmazon } from '../../plugins/amazon-sp-api/simulator';
import ebay from '../../plugins/ebay/ebay.plugin';
import { startSimulator as startEbay } from '../../plugins/ebay/simulator';
import genericRest from '../../plugins/generic-rest/generic-rest.plugin';
import { startSimulator as startShop } from '../../plugins/generic-rest/simulator';
import shopify from '../../plugins/shopify/shopify.plugin';
import { startSimulator as startShopify } from '../../plugins/shopify/simulator';
import type { ChannelPlugin, ChannelSimulator, SimulatorOptions } from '../../src/channel-api';

export interface FuzzedPlugin {
  name: string;
  plugin: ChannelPlugin;
  start: (options: SimulatorOptions) => Promise<ChannelSimulator>;
}

export const PLUGINS: readonly FuzzedPlugin[] = [
  { name: 'generic-rest', plugin: genericRest as ChannelPlugin, start: startShop },
  { name: 'shopify', plugin: shopify as ChannelPlugin, start: startShopify },
  { name: 'ebay', plugin: ebay as ChannelPlugin, start: startEbay },
  { name: 'amazon-sp-api', plugin: amazon as ChannelPlugin, start: startAmazon },
];
