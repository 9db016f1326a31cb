import type { Posted } from '../../src/inventory/ledger.service';
import type { Host } from './host';
import type { World } from './world';

/** One request of the API's users, repeated under its key until it is answered. */
export interface ApiCall {
  key: string;
  kind: string;
  content: string;
  make(host: Host): Promise<Posted>;
  answer?: Posted;
}

const ANSWER_WITHIN_MS = 4_000;
const AGAIN_AFTER_MS = 700;

/** People and programs that use the API. Each keeps its own list of what it was answered. */
export class ApiClient {
  readonly calls: ApiCall[] = [];
  /** Calls that nobody has answered yet. */
  open = 0;
  private made = 0;

  constructor(private readonly world: World) {}

  move(type: 'RESTOCK' | 'ADJUST', sku: number, location: number, units: number): void {
    const { skuIds, locationIds } = this.world;
    const move = {
      kind: 'move' as const,
      type,
      skuId: skuIds[sku]!,
      locationId: locationIds[location]!,
      quantityUnits: Math.abs(units),
      ...(type === 'ADJUST' && {
        reason: 'counted',
        ...(units > 0 ? { to: 'available' as const } : { from: 'available' as const }),
      }),
    };
    this.ask(type, move, (host, key) => host.ledger.post({ ...move, key, actor: 'api' }));
  }

  reserve(sku: number, units: number, ttlSeconds: number | undefined): void {
    const lines = [{ skuId: this.world.skuIds[sku]!, quantityUnits: units }];
    const request = { lines, partial: false, ...(ttlSeconds && { ttlSeconds }) };
    this.ask('reserve', request, (host, key) => host.reservations.create(request, key, 'api'));
  }

  change(nth: number, to: 'confirm' | 'release' | 'fulfil'): void {
    const ids = this.calls.flatMap(({ kind, answer }) => {
      const outcome = answer?.outcome;
      return kind === 'reserve' && outcome && 'reservation' in outcome ? [outcome.reservation.id] : [];
    });
    if (ids.length === 0) return;
    const id = nth < 0 ? ids.at(nth)! : ids[nth % ids.length]!;
    this.ask(to, { id }, (host, key) => host.reservations.change(to, id, key, 'api'));
  }

  /** I9: the same request again, or another one under the same key. */
  repeat(nth: number, otherUnits: number | undefined): void {
    const answered = this.calls.filter(({ answer }) => answer);
    if (answered.length === 0) return;
    const call = answered[nth % answered.length]!;
    if (otherUnits === undefined) return this.send(call, (posted) => this.compare(call, posted));
    const lines = [{ skuId: this.world.skuIds[0]!, quantityUnits: otherUnits }];
    const other = {
      ...call,
      make: (host: Host) => host.reservations.create({ lines, partial: true }, call.key, 'api'),
    };
    this.send(other, () =>
      this.world.violate('I9', `the key ${call.key} was taken again with other content`),
    );
  }

  private ask(kind: string, content: object, make: (host: Host, key: string) => Promise<Posted>): void {
    const key = `api-${++this.made}`;
    const call: ApiCall = { key, kind, content: JSON.stringify(content), make: (host) => make(host, key) };
    this.calls.push(call);
    this.send(call, (posted) => {
      if (call.answer) this.compare(call, posted);
      else call.answer = posted;
    });
  }

  /** Until it is answered, each time at whichever host is there. A conflict is an answer, too. */
  private send(call: ApiCall, answered: (posted: Posted) => void): void {
    const { timeline } = this.world;
    let isOver = false;
    this.open++;
    const over = (then: () => void) => {
      timeline.in(1, null, '', () => {
        if (!isOver) this.open--;
        isOver = true;
        then();
      });
    };
    const attempt = () => {
      if (isOver) return;
      timeline.in(ANSWER_WITHIN_MS, null, '', attempt);
      const { readyHosts } = this.world;
      if (readyHosts.length === 0) return;
      const host = this.world.random.pick(readyHosts);
      timeline.in(1, host, `is asked to ${call.kind} (${call.key})`, () => {
        call.make(host).then(
          (posted) => {
            this.world.moments.reached(host, 'answer');
            over(() => answered(posted));
          },
          (error: Error) => {
            timeline.note(`answers ${call.key} with ${error.name}: ${error.message.slice(0, 120)}`, host);
            if (error.name === 'IdempotencyConflictError') over(() => undefined);
            else timeline.in(AGAIN_AFTER_MS, null, '', attempt);
          },
        );
      });
    };
    attempt();
  }

  private compare(call: ApiCall, again: Posted): void {
    const [first, second] = [call.answer!.outcome, again.outcome].map((each) => JSON.stringify(each));
    if (first !== second) this.world.violate('I9', `${call.key} was answered ${first} and then ${second}`);
  }
}
