import { EventEmitter } from 'node:events';
import type { Notification } from 'pg';
import type { Connections } from './connections';
import type { Answer, Session, Statement } from './sessions';
import type { Owner, SimulatedEvent } from './timeline';

let connections: Connections | undefined;

export function useConnections(next: Connections | undefined): void {
  connections = next;
}

type Callback = (error: Error | null, result?: unknown) => void;

interface Sent {
  statement: Statement;
  callback: Callback;
  /** Not before the one sent before it. */
  atMs: number;
}

/** How long a session may hold a transaction open and say nothing, unless it set that itself. */
const IDLE_IN_TRANSACTION_MS = 30_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/** What `pg.Client` is to the code: statements go to the real server, when the timeline says so. */
export class SimulatedClient extends EventEmitter {
  readonly listens = new Set<string>();
  readonly owner: Owner | null;
  /** Read by pg's pool. */
  _queryable = true;
  _ending = false;
  private readonly all = connections!;
  private readonly settings: string;
  private readonly types: unknown;
  private isConnected = false;
  /** Lent for as long as a statement or a transaction lasts: nothing the hosts do outlives one on the server. */
  private session: Session | undefined;
  private queue: Sent[] = [];
  private isExecuting = false;
  /** Sent to the server and not answered, in their order. */
  private running: { sent: Sent; answered: Promise<Answer> }[] = [];
  private undelivered: Sent[] = [];
  private answeredAtMs = 0;
  private idleTimer: SimulatedEvent | undefined;
  private lockTimer: SimulatedEvent | undefined;
  private idleMs = IDLE_IN_TRANSACTION_MS;
  private lockMs = STATEMENT_TIMEOUT_MS;
  private notifies = false;

  constructor(config: { options?: string; types?: unknown } = {}) {
    super();
    this.owner = this.all.timeline.current;
    // A server that writes nothing to the disk waits for it in no session.
    this.settings = (config.options ?? '').replace('-c synchronous_commit=off', '').trim();
    this.types = config.types;
  }

  connect(callback?: (error?: Error) => void): Promise<void> | void {
    const connected = new Promise<void>((resolve) => {
      this.all.timeline.in(this.all.latencyMs(), this.owner, 'connect', () => {
        this.isConnected = true;
        this.all.open.add(this);
        resolve();
      });
    });
    if (!callback) return connected;
    void connected.then(() => callback());
  }

  query(
    given: string | Statement,
    values?: unknown[] | Callback,
    callback?: Callback,
  ): Promise<unknown> | void {
    const statement: Statement = typeof given === 'string' ? { text: given } : { ...given };
    const done = typeof values === 'function' ? values : callback;
    if (Array.isArray(values)) statement.values = values;
    statement.types ??= this.types;
    if (done) return this.send(statement, done);
    return new Promise((resolve, reject) => {
      this.send(statement, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  end(callback?: () => void): Promise<void> | void {
    this._ending = true;
    const ended = new Promise<void>((resolve) => {
      this.all.timeline.in(0.1, this.owner, 'disconnect', async () => {
        await this.close();
        this.emit('end');
        resolve();
      });
    });
    if (!callback) return ended;
    void ended.then(() => callback());
  }

  hear(note: Notification): void {
    const { timeline } = this.all;
    timeline.in(this.all.latencyMs(), this.owner, `hears ${note.channel}`, () => {
      if (this._queryable) this.emit('notification', note);
    });
  }

  /** The process is gone: the server may still do what it was sent, and tells nobody. */
  async abandon(): Promise<void> {
    if (this.isConnected && this.running.length === 0) {
      const { random, server, timeline } = this.all;
      this.session ??= await server.lend(this.settings);
      for (let left = Math.floor(random.next() * (this.queue.length + 1)); left > 0; left--) {
        const { statement } = this.queue.shift()!;
        if (/^LISTEN/.test(statement.text)) continue;
        const answer = await server.execute(this.session, statement, timeline.nowMs);
        timeline.note(`abandoned: ${brief(statement)} ${outcomeOf(answer)}`, this.owner);
      }
    }
    await this.close();
  }

  /** The connection breaks: what was sent may have been done, and its answer never comes. */
  async breakOff(): Promise<void> {
    const lost = [...this.undelivered, ...this.running.map(({ sent }) => sent), ...this.queue];
    await this.abandon();
    this.fail(lost, new Error('Connection terminated unexpectedly'));
  }

  private fail(lost: Sent[], error: Error): void {
    this._queryable = false;
    this.undelivered = this.undelivered.filter((sent) => !lost.includes(sent));
    this.queue = [];
    // What the server answered before it hung up is read first.
    const afterAnswers = Math.max(this.answeredAtMs - this.all.timeline.nowMs, 0) + 0.01;
    this.all.timeline.in(afterAnswers, this.owner, 'connection lost', () => {
      for (const { callback } of lost) callback(error);
      if (this.listenerCount('error') > 0) this.emit('error', error);
      this.emit('end');
    });
  }

  private send(statement: Statement, callback: Callback): void {
    if (!this._queryable || this._ending) {
      const error = new Error(
        this._ending
          ? 'Client was closed and is not queryable'
          : 'Client has encountered a connection error and is not queryable',
      );
      process.nextTick(() => callback(error));
      return;
    }
    if (this.idleTimer) this.idleTimer.isOff = true;
    this.queue.push({ statement, callback, atMs: this.all.timeline.nowMs + this.all.latencyMs() });
    this.all.tell(this, statement.text);
    this.plan();
  }

  private plan(): void {
    const [next] = this.queue;
    if (!next || this.isExecuting || !this.isConnected) return;
    this.isExecuting = true;
    // The server works whether or not the host that asked stands still; so nobody owns this.
    this.all.timeline.at(next.atMs, null, '', () => this.execute());
  }

  /** The next statement; or, most often, all that were sent with it, which is how a pipeline arrives. */
  private async execute(): Promise<void> {
    if (!this.isConnected || this.queue.length === 0) return;
    const { server, timeline, random } = this.all;
    const first = this.queue[0]!;
    const listened = /^LISTEN (\w+)/.exec(first.statement.text)?.[1];
    if (listened) {
      this.queue.shift();
      await server.listen(listened);
      this.listens.add(listened);
      this.answered(first, { result: { rows: [], rowCount: 0 } as never });
      return this.afterwards();
    }
    this.session ??= await server.lend(this.settings);
    const together = this.queue.splice(0, random.chance(0.8) ? this.queue.length : 1);
    const statements = together.map(({ statement }) => statement);
    const answers = server.sendAll(this.session, statements, timeline.nowMs);
    this.running = together.map((sent, index) => ({ sent, answered: answers[index]! }));
    if (await this.lookAgain()) return;
    timeline.note(`waits for a lock: ${brief(this.running[0]!.sent.statement)}`, this.owner);
    const { session } = this;
    this.lockTimer = timeline.in(this.lockMs, null, 'lock timeout', async () => {
      await server.cancel(session);
      await this.all.settleLocks();
    });
    this.all.wait(this);
  }

  /** True once all that was sent is done. */
  async lookAgain(): Promise<boolean> {
    while (this.running.length > 0) {
      if (!this.session) return true;
      const { sent, answered } = this.running[0]!;
      const answer = await this.all.server.answerOrLock(this.session, answered);
      if (!answer) return false;
      this.running.shift();
      this.answered(sent, answer);
    }
    if (this.lockTimer) this.lockTimer.isOff = true;
    await this.afterwards();
    return true;
  }

  private answered(sent: Sent, answer: Answer): void {
    const { timeline } = this.all;
    timeline.note(`${brief(sent.statement)} ${outcomeOf(answer)}`, this.owner);
    timeline.count++;
    this.minding(sent.statement.text);
    this.undelivered.push(sent);
    this.answeredAtMs = Math.max(this.answeredAtMs, timeline.nowMs + this.all.latencyMs());
    timeline.at(this.answeredAtMs, this.owner, '', () => {
      if (!this.undelivered.includes(sent)) return;
      this.undelivered = this.undelivered.filter((each) => each !== sent);
      if ('error' in answer) sent.callback(answer.error);
      else sent.callback(null, answer.result);
    });
  }

  private async afterwards(): Promise<void> {
    this.isExecuting = false;
    this.plan();
    if (this.session === undefined || this.session.state === 'I') {
      this.idleMs = IDLE_IN_TRANSACTION_MS;
      this.lockMs = STATEMENT_TIMEOUT_MS;
      if (this.session) await this.all.server.takeBack(this.session);
      this.session = undefined;
      if (this.notifies) await this.all.deliverNotes();
      this.notifies = false;
      await this.all.settleLocks();
    } else this.watchIdle();
  }

  /** What the statement sets for its transaction, and whether it tells other hosts. */
  private minding(text: string): void {
    if (/pg_notify|NOTIFY/.test(text)) this.notifies = true;
    const idle = /idle_in_transaction_session_timeout = '(\d+)s'/.exec(text);
    const lock = /lock_timeout = '(\d+)s'/.exec(text);
    if (idle) this.idleMs = Number(idle[1]) * 1000;
    if (lock) this.lockMs = Number(lock[1]) * 1000;
  }

  private watchIdle(): void {
    if (!this.session || this.session.state === 'I' || this.queue.length > 0) return;
    this.idleTimer = this.all.timeline.in(this.idleMs, null, 'idle in transaction', async () => {
      if (!this.session || this.queue.length > 0 || this.session.state === 'I') return;
      await this.close();
      this.fail(
        [],
        Object.assign(new Error('terminating connection due to idle-in-transaction timeout'), {
          code: '25P03',
        }),
      );
    });
  }

  private async close(): Promise<void> {
    const { session } = this;
    this._queryable = false;
    this.isConnected = false;
    this.session = undefined;
    this.queue = [];
    for (const timer of [this.idleTimer, this.lockTimer]) if (timer) timer.isOff = true;
    this.all.forget(this);
    if (!session) return;
    const { running } = this;
    this.running = [];
    for (const { answered } of running)
      if (!(await this.all.server.answerOrLock(session, answered)))
        await this.all.server.cancel(session).then(() => answered);
    await this.all.server.takeBack(session);
    await this.all.settleLocks();
  }
}

function brief({ name, text }: Statement): string {
  return name ?? text.trim().replace(/\s+/g, ' ').slice(0, 60);
}

function outcomeOf(answer: Answer): string {
  if ('error' in answer)
    return `fails with ${(answer.error as { code?: string }).code ?? answer.error.message}`;
  return `${answer.result.rowCount ?? 0}`;
}
