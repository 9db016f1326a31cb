/** The test kit for channel plugins: the suite each of them passes, and the parts it is built from. */
export * from './connected-channel';
export * from './contract-case';
export * from './contract-cases';
export * from './describe-channel-contract';
export * from './expectations';
export * from './network-off';
export * from './quiet-host';
export * from './run-channel-contract';
