/**
 * What a channel was given at run time and must not lose, such as a refresh token: sealed with a key from outside the
 * database, and one for all hosts. Only this channel reads it. A name is a word such as `consent`; a value is a text
 * of up to 64 kB, often JSON.
 *
 * Throws `ChannelRequestError` where a key is missing (a person must act), and `SecretsUnavailableError`.
 */
export interface ChannelSecrets {
  /** Undefined where nothing is kept under the name. */
  get(name: string): Promise<string | undefined>;
  /**
   * Keeps `value` if `expected` is what is kept now (undefined: nothing is). Otherwise false, and nothing changes:
   * another host was there before, and what it kept has to be read first.
   */
  compareAndSet(name: string, expected: string | undefined, value: string): Promise<boolean>;
}

/** Secrets of this process alone, for tests of a plugin. */
export function memorySecrets(kept = new Map<string, string>()): ChannelSecrets {
  return {
    get: async (name) => kept.get(name),
    compareAndSet: async (name, expected, value) => {
      if (kept.get(name) !== expected) return false;
      kept.set(name, value);
      return true;
    },
  };
}
