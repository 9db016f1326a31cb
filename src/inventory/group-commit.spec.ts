import { setTimeout as sleep } from 'node:timers/promises';
import { GroupCommit } from './group-commit';
import { LedgerUnavailableError } from './inventory.errors';

type Answer = string | Error;
type Transact = (commands: string[]) => Promise<Answer[]>;

/** Transactions that end when the test says so. */
class Transactions {
  readonly begun: string[][] = [];
  private readonly ends: ((answer: Answer[] | Error) => void)[] = [];

  readonly transact: Transact = (commands) => {
    this.begun.push(commands);
    return new Promise((resolve, reject) => {
      this.ends.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
    });
  };

  /** Ends the oldest open one: with its commands in capitals, or with what is given. */
  async end(answer?: Answer[] | Error): Promise<void> {
    const commands = this.begun[this.begun.length - this.ends.length]!;
    this.ends.shift()!(answer ?? commands.map((command) => command.toUpperCase()));
    await turn();
  }

  get open(): number {
    return this.ends.length;
  }
}

/** Lets everything that is ready run. */
async function turn(): Promise<void> {
  for (let times = 0; times < 3; times++) await new Promise((resolve) => setImmediate(resolve));
}

function sqlError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}

function groupOf(transact: Transact, options: { maxBatch?: number; giveUpAfterMs?: number } = {}) {
  return new GroupCommit<string, string>(transact as (commands: string[]) => Promise<(string | Error)[]>, {
    maxBatch: 100,
    giveUpAfterMs: 1_000,
    ...options,
  });
}

describe('group commit', () => {
  it('takes what is posted in one turn into one transaction, in order of arrival', async () => {
    const database = new Transactions();
    const group = groupOf(database.transact);
    const posted = Promise.all(['a', 'b', 'c'].map((command) => group.post(command)));
    await turn();
    await database.end();
    expect(database.begun).toEqual([['a', 'b', 'c']]);
    expect(await posted).toEqual(['A', 'B', 'C']);
  });

  it('keeps commands that arrive during a transaction for the next, and never runs two at once', async () => {
    const database = new Transactions();
    const group = groupOf(database.transact);
    const first = group.post('a');
    await turn();
    const rest = Promise.all(['b', 'c'].map((command) => group.post(command)));
    await turn();
    expect([database.begun, group.depth, database.open]).toEqual([[['a']], 2, 1]);
    await database.end();
    expect(await first).toBe('A');
    expect([database.begun, group.depth, database.open]).toEqual([[['a'], ['b', 'c']], 0, 1]);
    await database.end();
    expect(await rest).toEqual(['B', 'C']);
  });

  it('answers nobody before the transaction is over', async () => {
    const database = new Transactions();
    const answered = jest.fn();
    const posted = groupOf(database.transact).post('a').then(answered);
    await turn();
    expect(answered).not.toHaveBeenCalled();
    await database.end();
    await posted;
    expect(answered).toHaveBeenCalledWith('A');
  });

  it('puts no more into one transaction than the most it takes', async () => {
    const database = new Transactions();
    const group = groupOf(database.transact, { maxBatch: 2 });
    const posted = Promise.all(['a', 'b', 'c', 'd', 'e'].map((command) => group.post(command)));
    for (let times = 0; times < 3; times++) {
      await turn();
      await database.end();
    }
    expect(database.begun).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(await posted).toEqual(['A', 'B', 'C', 'D', 'E']);
  });

  it('rejects the one command that was answered with an error', async () => {
    const conflict = new Error('conflict');
    const group = groupOf(async (commands) =>
      commands.map((command) => (command === 'b' ? conflict : command)),
    );
    const settled = await Promise.allSettled(['a', 'b', 'c'].map((command) => group.post(command)));
    expect(settled).toEqual([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: conflict },
      { status: 'fulfilled', value: 'c' },
    ]);
  });

  it.each(['40P01', '40001', '23505', '55P03', '57P01', 'ECONNRESET', 'EPIPE'])(
    'tries the same commands again after %s, and answers once',
    async (code) => {
      const begun: string[][] = [];
      const group = groupOf(async (commands) => {
        begun.push([...commands]);
        if (begun.length <= 2) throw sqlError(code);
        return commands;
      });
      expect(await Promise.all([group.post('a'), group.post('b')])).toEqual(['a', 'b']);
      expect(begun).toEqual([
        ['a', 'b'],
        ['a', 'b'],
        ['a', 'b'],
      ]);
    },
  );

  it('tries each command alone when one of them cannot be taken, so that only that one fails', async () => {
    const begun: string[][] = [];
    const poison = sqlError('22021');
    const group = groupOf(async (commands) => {
      begun.push([...commands]);
      if (commands.includes('poison')) throw poison;
      return commands;
    });
    const settled = await Promise.allSettled(['a', 'poison', 'c'].map((command) => group.post(command)));
    expect(settled).toEqual([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: poison },
      { status: 'fulfilled', value: 'c' },
    ]);
    expect(begun).toEqual([['a', 'poison', 'c'], ['a'], ['poison'], ['c']]);
  });

  it('tells everybody that the ledger is unavailable once a lost database has been waited for', async () => {
    const lost = sqlError('ECONNREFUSED');
    let isUp = false;
    let tries = 0;
    const group = groupOf(
      async (commands) => {
        tries++;
        if (!isUp) throw lost;
        return commands;
      },
      { giveUpAfterMs: 60 },
    );
    const settled = await Promise.allSettled(['a', 'b'].map((command) => group.post(command)));
    for (const each of settled) {
      expect(each.status).toBe('rejected');
      const { reason } = each as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(LedgerUnavailableError);
      expect(reason).toMatchObject({ code: 'ledger-unavailable', cause: lost });
    }
    expect(tries).toBeGreaterThan(2);
    isUp = true;
    expect(await group.post('c')).toBe('c');
  });

  it('gives the database its own word where one command fails again and again', async () => {
    const stuck = sqlError('23505');
    const group = groupOf(
      async (commands) => {
        if (commands.includes('stuck')) throw stuck;
        return commands;
      },
      { giveUpAfterMs: 20 },
    );
    const settled = await Promise.allSettled(['stuck', 'b'].map((command) => group.post(command)));
    expect(settled).toEqual([
      { status: 'rejected', reason: stuck },
      { status: 'fulfilled', value: 'b' },
    ]);
  });

  it('is drained when nothing waits and nothing is in flight', async () => {
    const database = new Transactions();
    const group = groupOf(database.transact, { maxBatch: 1 });
    await group.drained();
    const posted = Promise.all(['a', 'b'].map((command) => group.post(command)));
    const drained = jest.fn();
    const waiting = group.drained().then(drained);
    await turn();
    await database.end();
    const alsoWaiting = group.drained().then(drained);
    await turn();
    expect(drained).not.toHaveBeenCalled();
    await database.end();
    await Promise.all([waiting, alsoWaiting, posted]);
    expect(drained).toHaveBeenCalledTimes(2);
  });

  it('waits longer between the tries of a database that stays away', async () => {
    const tries: number[] = [];
    const group = groupOf(
      async () => {
        tries.push(performance.now());
        throw sqlError('57P03');
      },
      { giveUpAfterMs: 200 },
    );
    await expect(group.post('a')).rejects.toThrow(LedgerUnavailableError);
    await sleep(0);
    expect(tries.length).toBeLessThan(12);
    expect(tries.at(-1)! - tries.at(-2)!).toBeGreaterThan(tries[1]! - tries[0]!);
  });
});
