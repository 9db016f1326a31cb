/**
 * An options class without decorators, for a plugin in plain JavaScript: each option with its rules, which are
 * the decorators of class-validator (`token: [IsString(), MinLength(8)]`), and the values of those that may be
 * left out. An option that has no rule is unknown to the host, and refused.
 */
export function defineOptions<Options extends object>(
  rules: NoInfer<{
    readonly [Name in keyof Options]-?: readonly [PropertyDecorator, ...PropertyDecorator[]];
  }>,
  defaults: NoInfer<Partial<Options>> = {},
): new () => Options {
  class PluginOptions {
    constructor() {
      Object.assign(this, structuredClone(defaults));
    }
  }
  for (const [name, decorators] of Object.entries(rules) as [string, PropertyDecorator[]][]) {
    for (const decorate of decorators) decorate(PluginOptions.prototype, name);
  }
  return PluginOptions as new () => Options;
}
