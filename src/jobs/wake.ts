/** "There may be something to do": a job's name and, where there are several of it, its key. */
export interface Wake {
  name: string;
  key?: string | undefined;
}

/** Channel names hold no spaces, nor do names of jobs. */
export function wakeId({ name, key }: Wake): string {
  return key === undefined ? name : `${name} ${key}`;
}

/** What came from outside of this process is believed to be a wake only when it looks like one. */
export function readWake(value: unknown): Wake | undefined {
  const { name, key } = (value ?? {}) as Partial<Record<keyof Wake, unknown>>;
  if (typeof name !== 'string' || !['string', 'undefined'].includes(typeof key)) return undefined;
  return { name, key: key as string | undefined };
}
