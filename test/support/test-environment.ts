import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';

type TestEvent = { name: string; test?: { errors: unknown[] } };

/** Tells a test file's clean-up whether one of its tests failed, so that a database can be kept to look at. */
export default class TestEnvironment extends NodeEnvironment {
  handleTestEvent(event: TestEvent): void {
    if (event.name === 'test_done' && event.test && event.test.errors.length > 0) {
      (this.global as { someTestFailed?: boolean }).someTestFailed = true;
    }
  }
}
