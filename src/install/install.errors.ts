export type PluginInstallCode =
  | 'npm-missing'
  | 'npm-failed'
  | 'registry-unreachable'
  | 'plugin-not-found'
  | 'plugin-not-packed'
  | 'plugin-unusable'
  | 'plugin-changed'
  | 'plugin-pinned-otherwise'
  | 'plugin-in-use'
  | 'plugin-not-pinned';

/** A plugin cannot be installed or removed, and nothing was changed. `message` says why and what to do. */
export class PluginInstallError extends Error {
  constructor(
    readonly code: PluginInstallCode,
    message: string,
  ) {
    super(message);
    this.name = 'PluginInstallError';
  }
}
