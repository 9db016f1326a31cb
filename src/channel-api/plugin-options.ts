import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { ChannelPlugin } from './contract';

/** A channel's `options` do not fit its plugin. `problems` name the option and what it must be, never its value. */
export class PluginOptionsError extends Error {
  readonly code = 'plugin-options';

  constructor(
    readonly plugin: string,
    readonly problems: readonly string[],
  ) {
    super(
      `The options of plugin "${plugin}" are not valid:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.name = 'PluginOptionsError';
  }
}

/**
 * Turns a channel's plain `options` into an instance of the plugin's options class, with its defaults.
 * Unknown options are refused, for a misspelt one would be ignored in silence. Throws `PluginOptionsError`.
 */
export function resolvePluginOptions<Options extends object>(
  plugin: Pick<ChannelPlugin<Options>, 'name' | 'options'>,
  options: unknown,
): Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new PluginOptionsError(plugin.name, ['options must be a mapping of names to values']);
  }
  const instance = plainToInstance(plugin.options, options);
  const errors = validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    // A plugin that has no options has a class without a decorator; any option it is given is refused all the same.
    forbidUnknownValues: false,
    validationError: { target: false, value: false },
  });
  if (errors.length > 0)
    throw new PluginOptionsError(
      plugin.name,
      errors.flatMap((error) => describe(error, '')),
    );
  return instance;
}

function describe(error: ValidationError, parent: string): string[] {
  const path = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => `${path}: ${message}`);
  return [...own, ...(error.children ?? []).flatMap((child) => describe(child, path))];
}
