import type { ChannelSimulator, StartSimulator } from 'onhand/channel-api';
import { AmazonSimulator } from './amazon-simulator';
import type { AmazonSimulatorOptions } from './simulator-options';

export type { AmazonSimulator } from './amazon-simulator';
export type { AmazonSimulatorOptions } from './simulator-options';

/** Starts Amazon. Rejects when the port is taken. */
export async function startAmazon(options: AmazonSimulatorOptions): Promise<AmazonSimulator> {
  const simulator = new AmazonSimulator(options);
  await simulator.listen();
  return simulator;
}

export const startSimulator: StartSimulator = (options): Promise<ChannelSimulator> => startAmazon(options);
