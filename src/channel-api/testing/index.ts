/** The test kit for channel plugins: the suite each of them passes, and the parts it is built from. */
export * from './connected-channel';
export * from './describe-channel-contract';
