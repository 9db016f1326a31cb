/** What a plugin's simulator is built from: everything but the channel itself. */
export * from './call-limit';
export * from './fault-dice';
export * from './simulated-shop';
export * from './simulator-frame';
export * from './simulator-server';
