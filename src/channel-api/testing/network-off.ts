import { expectEqual } from './expectations';

/** What this needs of `nock`, whose copy is the plugin's own. */
export interface NetworkMocks {
  disableNetConnect(): void;
  enableNetConnect(host?: string): void;
  pendingMocks(): string[];
  abortPendingRequests(): void;
  cleanAll(): void;
  restore(): void;
}

/** As Jest and Vitest have them. */
export interface TestHooks {
  beforeAll(run: () => void): unknown;
  afterEach(run: () => void): unknown;
  afterAll(run: () => void): unknown;
}

/**
 * No test of the file, or of the `describe` it is called in, reaches the network but at `allow`, each uses every
 * answer that it prepared, and nothing is left for the next. Uses the globals unless it is given other hooks.
 */
export function networkOff(
  nock: NetworkMocks,
  { allow }: { allow?: string } = {},
  { beforeAll, afterEach, afterAll }: TestHooks = globalThis as unknown as TestHooks,
): void {
  beforeAll(() => {
    nock.disableNetConnect();
    if (allow !== undefined) nock.enableNetConnect(allow);
  });
  afterEach(() => {
    const unused = nock.pendingMocks();
    nock.abortPendingRequests();
    nock.cleanAll();
    expectEqual(unused, [], 'A test uses every answer that it prepares');
  });
  afterAll(() => {
    nock.enableNetConnect();
    nock.restore();
  });
}
