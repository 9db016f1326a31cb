import 'reflect-metadata';

type Class<T = object> = new (...given: never[]) => T;
export type Token = Class | string | symbol;

/** Nest's names for what its decorators note. */
const PARAMETERS = 'design:paramtypes';
const NAMED = 'self:paramtypes';
const OPTIONAL = 'optional:paramtypes';

/**
 * The host's own modules, put together as Nest would by what their decorators say: a simulation starts thousands of
 * hosts, and Nest's scan of all modules takes longer than a run. Controllers are made when they are asked for.
 */
export class Container {
  private readonly made = new Map<Token, object>();
  private readonly known = new Set<Token>();

  constructor(
    private readonly modules: readonly Class[],
    given: ReadonlyMap<Token, object>,
  ) {
    for (const [token, value] of given) this.made.set(token, value);
    for (const provider of modules.flatMap(providersOf)) this.known.add(provider);
  }

  get<T extends object>(type: abstract new (...given: never[]) => T): T {
    return this.make(type as unknown as Class) as T;
  }

  /** Rooms in the order of their modules; within a room side by side, as Nest does it. */
  async each(hook: 'onModuleInit' | 'onApplicationBootstrap'): Promise<void> {
    for (const room of this.modules) {
      const instances = providersOf(room).map(
        (provider) => this.make(provider) as Partial<Record<typeof hook, () => unknown>>,
      );
      await Promise.all(instances.map((instance) => instance[hook]?.()));
    }
  }

  private make(token: Token): object {
    const made = this.made.get(token);
    if (made) return made;
    const type = token as Class;
    const parameters = [...((Reflect.getMetadata(PARAMETERS, type) as Token[] | undefined) ?? [])];
    for (const { index, param } of (Reflect.getMetadata(NAMED, type) ?? []) as {
      index: number;
      param: Token;
    }[])
      parameters[index] = param;
    const optional = (Reflect.getMetadata(OPTIONAL, type) ?? []) as number[];
    const given = parameters.map((each, index) => {
      if (this.made.has(each) || this.known.has(each)) return this.make(each);
      if (optional.includes(index)) return undefined;
      throw new Error(`${type.name} needs ${String((each as Class)?.name ?? each)}, which no room has`);
    });
    const instance = new type(...(given as never[]));
    this.made.set(token, instance);
    return instance;
  }
}

function providersOf(room: Class): Class[] {
  return (Reflect.getMetadata('providers', room) as Class[] | undefined) ?? [];
}
