/**
 * Where nobody looks on (CI), a test with processes, browsers and clocks of its own that fails is tried once more, and
 * its first failure is told: two cores that many things share are late now and then. What is broken fails twice.
 */
if (process.env.CI && expect.getState().testPath?.endsWith('.e2e-spec.ts'))
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
