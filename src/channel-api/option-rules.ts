/**
 * What an options class is decorated with: all of class-validator, and class-transformer's `Type` and
 * `Transform`. They are the host's own copies, which is why a plugin needs neither library itself.
 */
export * from 'class-validator';
export { Transform, Type } from 'class-transformer';
