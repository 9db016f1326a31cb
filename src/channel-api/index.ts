/**
 * The only thing a plugin imports: the contract, its errors, the HTTP client and the parts of a simulator.
 * Imports nothing from the rest of the host.
 */
// Options classes are written with decorators that look up metadata while the class is being defined.
import 'reflect-metadata';

export * from './call-breaker';
export * from './channel-authorization';
export * from './channel-secrets';
export * from './contract';
export * from './define-options';
export * from './errors';
export * from './fetch-http';
export * from './http-client';
export type { LearnedLimit, LimitState } from './limit-state';
export * from './limiter';
export * from './lossless-json';
export * from './option-rules';
export * from './parsed-url';
export * from './plugin-options';
export * from './queued-limiter';
export * from './redaction';
export * from './retry-after';
export * from './simulation';
export * from './simulator';
