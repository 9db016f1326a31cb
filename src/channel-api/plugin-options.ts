import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
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
  const unseen = unseenNesting(plugin.options);
  if (unseen.length > 0) throw new PluginOptionsError(plugin.name, unseen);
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

/**
 * The nested options of a class that would pass unvalidated, because the `@Type` that says what they are is
 * missing, or was noted by another copy of class-transformer than this one. One line for each.
 */
export function unseenNesting(optionsClass: new () => object): string[] {
  const seen = new Set<new () => object>();
  const linesOf = (type: new () => object, parent: string): string[] => {
    if (seen.has(type)) return [];
    seen.add(type);
    return nestedProperties(type).flatMap((property) => {
      const path = `${parent}${property}`;
      const nested = nestedTypeOf(type, property);
      if (nested === Object) return [`${path}: ${NO_TYPE}`];
      return nested === undefined ? [] : linesOf(nested, `${path}.`);
    });
  };
  return linesOf(optionsClass, '');
}

const NO_TYPE =
  'is nested, but has no @Type that the host can see; import Type from onhand/channel-api, and do not bundle class-transformer';

function nestedProperties(type: new () => object): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return [
    ...new Set(rules.filter((rule) => rule.type === 'nestedValidation').map((rule) => rule.propertyName)),
  ];
}

/** The class of a nested option. Asked by doing: what a plain object becomes there. Undefined where a transformation of its own refuses it. */
export function nestedTypeOf(type: new () => object, property: string): (new () => object) | undefined {
  try {
    const instance = plainToInstance(type, { [property]: {} }) as Record<string, object | undefined>;
    return instance[property]?.constructor as (new () => object) | undefined;
  } catch {
    return undefined;
  }
}

function describe(error: ValidationError, parent: string): string[] {
  const path = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => `${path}: ${message}`);
  return [...own, ...(error.children ?? []).flatMap((child) => describe(child, path))];
}
