import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';

interface TestEvent {
  name: string;
  error?: unknown;
  test?: { errors: unknown[] };
}

/** What a test file and its environment tell each other. */
export interface TestGlobals {
  /** Tells a file's clean-up whether one of its tests failed, so that a database can be kept to look at. */
  someTestFailed?: boolean;
  /** What is to be seen where a test fails, told with its error. */
  seenOnFailure?: () => Promise<string>;
}

export default class TestEnvironment extends NodeEnvironment {
  async handleTestEvent({ name, error, test }: TestEvent): Promise<void> {
    const globals = this.global as TestGlobals;
    if (name === 'test_fn_failure' && globals.seenOnFailure) {
      const seen = await globals.seenOnFailure().catch((reason: unknown) => `(${String(reason)})`);
      tellWith(error as Partial<Error> | undefined, seen);
    }
    if (name === 'test_done' && test && test.errors.length > 0) globals.someTestFailed = true;
  }
}

/** Of an error, Jest prints the stack, which begins with its message. */
function tellWith(error: Partial<Error> | undefined, seen: string): void {
  if (error?.message === undefined) return;
  const { message, stack = message } = error;
  error.message = `${message}\n${seen}`;
  error.stack = stack.includes(message) ? stack.replace(message, () => error.message!) : `${stack}\n${seen}`;
}
