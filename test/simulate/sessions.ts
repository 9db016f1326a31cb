import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { Client, type ClientConfig, type Notification, type QueryConfig, type QueryResult } from 'pg';
import { createReset } from './cluster';
import { realTimeout } from './clocks';
import { EPOCH_MS, settled } from './timeline';

/** One statement on its way to the server, as `pg` is given it. */
export interface Statement {
  text: string;
  name?: string;
  values?: unknown[];
  rowMode?: 'array';
  types?: unknown;
}

export type Answer = { result: QueryResult } | { error: Error };

/** The driver's own, whatever the hosts' code is given in its place later. */
const RealClient = Client;

/** Between two looks at a statement that does not come back. */
const LOOK_AFTER_MS = 2;

/** Times of the server's own clock would pass while nothing happens in the simulation, which sees to them itself. */
const OWN_TIMEOUTS = /((?:lock|statement|idle_in_transaction_session)_timeout) = '\d+s'/g;

/** Plans must be the same whatever ran before on a connection, and planning anew costs more than most statements. */
const SETTINGS = '-c plan_cache_mode=force_generic_plan -c jit=off';

/**
 * A real connection to the real server. It is lent to one simulated connection after the other, since a new one
 * would cost more than most statements; what a session leaves behind is taken back in between.
 */
export class Session {
  private readonly names = new Map<string, string>();
  private pid = 0;
  /** A transaction that may not even set the clock. */
  private isReadOnly = false;

  private constructor(
    private readonly client: Client,
    readonly settings: string,
  ) {}

  static async open(url: string, settings: string): Promise<Session> {
    const client = new RealClient({
      connectionString: url,
      options: `${SETTINGS} ${settings}`,
      pipeline: true,
    } as ClientConfig);
    client.on('error', () => undefined);
    await client.connect();
    const session = new Session(client, settings);
    session.pid = (client as unknown as { processID: number }).processID;
    return session;
  }

  get serverPid(): number {
    return this.pid;
  }

  /** `I` when no transaction is open. */
  get state(): string {
    return (this.client as unknown as { getTransactionStatus(): string }).getTransactionStatus();
  }

  /** On the same connection and right before the statement, so that it costs no way of its own. */
  setClock(micros: number, next: Statement): void {
    if (/^BEGIN .*READ ONLY/.test(next.text)) this.isReadOnly = true;
    else if (this.state === 'I') this.isReadOnly = false;
    if (this.state === 'E' || this.isReadOnly) return;
    this.client
      .query({ name: 'set-clock', text: `SELECT setval('sim.clock', $1)`, values: [micros] })
      .catch(() => undefined);
  }

  send(statement: Statement): Promise<Answer> {
    return this.client.query(this.named(statement) as QueryConfig).then(
      (result: QueryResult) => ({ result }),
      (error: Error) => ({ error }),
    );
  }

  /** Has what `work` sends leave in one write. */
  together<T>(work: () => T): T {
    const { stream } = (this.client as unknown as { connection: { stream: Writable } }).connection;
    stream.cork();
    try {
      return work();
    } finally {
      stream.uncork();
    }
  }

  async end(): Promise<void> {
    await this.client.end();
  }

  /** What has values is prepared under a name, so that it is planned once. */
  private named(statement: Statement): Statement {
    const { name, text, values } = statement;
    if (values === undefined || values.length === 0)
      return text.includes('timeout')
        ? { ...statement, text: text.replace(OWN_TIMEOUTS, "$1 = '0'") }
        : statement;
    if (name !== undefined) return statement;
    if (!this.names.has(text))
      this.names.set(text, `u${createHash('sha1').update(text).digest('hex').slice(0, 16)}`);
    return { ...statement, name: this.names.get(text) };
  }
}

/** The server behind all simulated connections of a process: sessions to lend, the clock, who waits for whom. */
export class SimulatedServer {
  private readonly idle = new Map<string, Session[]>();
  private control!: Client;
  private vacuum = '';
  private notes: Notification[] = [];
  private readonly listened = new Set<string>();
  private lastMicros = 0;

  private constructor(readonly url: string) {}

  static async open(url: string): Promise<SimulatedServer> {
    const server = new SimulatedServer(url);
    server.control = new RealClient({ connectionString: url, options: SETTINGS });
    server.control.on('error', () => undefined);
    await server.control.connect();
    server.vacuum = await createReset(server.control);
    server.control.on('notification', (note) => server.notes.push(note));
    return server;
  }

  /** An empty database again, whose clock and dice begin anew. */
  async reset(): Promise<void> {
    this.lastMicros = 0;
    await this.control.query(
      `SET session_replication_role = replica; SELECT sim.reset(); SET session_replication_role = origin;
       SELECT setval('sim.clock', ${EPOCH_MS}000), setval('sim.dice', 0)`,
    );
    await this.control.query(this.vacuum);
    await this.notifications();
  }

  async lend(settings: string): Promise<Session> {
    return this.idle.get(settings)?.pop() ?? Session.open(this.url, settings);
  }

  async takeBack(session: Session): Promise<void> {
    if (session.state !== 'I') await session.send({ text: 'ROLLBACK' });
    const { settings } = session;
    if (!this.idle.has(settings)) this.idle.set(settings, []);
    this.idle.get(settings)!.push(session);
  }

  /** What waits for another session's lock is cancelled: nobody is there who would wait for it. */
  async execute(session: Session, statement: Statement, nowMs: number): Promise<Answer> {
    const [answered] = this.sendAll(session, [statement], nowMs) as [Promise<Answer>];
    const answer = await this.answerOrLock(session, answered);
    if (answer) return answer;
    await this.cancel(session);
    return answered;
  }

  sendAll(session: Session, statements: readonly Statement[], nowMs: number): Promise<Answer>[] {
    const micros = Math.round((EPOCH_MS + nowMs) * 1000);
    return session.together(() => {
      if (micros !== this.lastMicros) session.setClock(micros, statements[0]!);
      this.lastMicros = micros;
      return statements.map((statement) => session.send(statement));
    });
  }

  /** The answer, or undefined once the statement is known to wait for another session's lock. */
  async answerOrLock(session: Session, answered: Promise<Answer>): Promise<Answer | undefined> {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<undefined>((resolve) => {
        timer = realTimeout(() => resolve(undefined), LOOK_AFTER_MS);
      });
      const answer = await Promise.race([answered, late]);
      clearTimeout(timer);
      if (answer) return answer;
      // It may be the statement behind this one that waits; this one's answer is on its way to be read then.
      if (await this.isLocked(session))
        return Promise.race([
          answered,
          settled()
            .then(settled)
            .then(() => undefined),
        ]);
    }
  }

  async isLocked(session: Session): Promise<boolean> {
    const found = await this.control.query({
      name: 'is-locked',
      text: 'SELECT cardinality(pg_blocking_pids($1)) > 0 AS locked',
      values: [session.serverPid],
    });
    return (found.rows[0] as { locked: boolean }).locked;
  }

  async cancel(session: Session): Promise<void> {
    await this.control.query('SELECT pg_cancel_backend($1)', [session.serverPid]);
  }

  async listen(channel: string): Promise<void> {
    if (this.listened.has(channel)) return;
    this.listened.add(channel);
    await this.control.query(`LISTEN ${channel}`);
  }

  /** What was notified by what committed so far. */
  async notifications(): Promise<Notification[]> {
    await this.control.query({ name: 'nothing', text: 'SELECT 1' });
    await settled();
    const { notes } = this;
    this.notes = [];
    return notes;
  }

  async query<Row = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.control.query(text, values)).rows as Row[];
  }

  async close(): Promise<void> {
    const sessions = [...this.idle.values()].flat();
    await Promise.all([this.control.end(), ...sessions.map((each) => each.end())]);
  }
}
