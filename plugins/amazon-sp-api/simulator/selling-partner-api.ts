import { randomUUID } from 'node:crypto';
import type { SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import { ApiRefusal, errorList, type Handler, type Handlers, invalidInput } from './api-call';
import { isGrantless, type Operation, type Route, routeOf } from './operations';
import type { TokenDesk } from './tokens';
import type { UsagePlans } from './usage-plans';

/** The front of all the APIs: who may call, how often, and how a refusal is worded. */
export class SellingPartnerApi {
  private readonly handlers: ReadonlyMap<Operation, Handler>;

  constructor(
    areas: readonly { handlers: Handlers }[],
    private readonly tokens: TokenDesk,
    private readonly plans: UsagePlans,
    /** Whether calls beyond a plan are refused; their number is in the log in any case. */
    private readonly enforcesPlans: boolean,
  ) {
    const handlers = areas.flatMap((area) => Object.entries(area.handlers)) as [Operation, Handler][];
    this.handlers = new Map(handlers);
  }

  answer(request: SimulatedRequest): SimulatedReply {
    const route = routeOf(request.method, request.path);
    if (!route) return refused(new ApiRefusal(404, 'NotFound', 'There is nothing at this address.'));
    try {
      return this.stamped(route.operation, this.act(route, request));
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      return this.stamped(route.operation, refused(error));
    }
  }

  private act({ operation, parameters }: Route, request: SimulatedRequest): SimulatedReply {
    const { query, headers, body, pretend, at: nowMs } = request;
    const wanted = isGrantless(operation) ? 'notifications' : 'seller';
    if (this.tokens.kindOf(headers['x-amz-access-token']) !== wanted) {
      throw new ApiRefusal(
        403,
        'Unauthorized',
        'Access to requested resource is denied.',
        'The access token you provided is revoked, malformed, expired or of the wrong kind.',
      );
    }
    if (!this.plans.allows(operation, nowMs) && this.enforcesPlans) {
      throw new ApiRefusal(429, 'QuotaExceeded', 'You exceeded your quota for the requested resource.');
    }
    const handler = this.handlers.get(operation) as Handler;
    return handler({ parameters, query, body: jsonIn(body), pretend, nowMs });
  }

  private stamped(operation: Operation, { headers, ...reply }: SimulatedReply): SimulatedReply {
    return {
      ...reply,
      headers: {
        ...headers,
        'x-amzn-RateLimit-Limit': this.plans.header(operation),
        'x-amzn-RequestId': randomUUID(),
      },
    };
  }
}

function refused(refusal: ApiRefusal): SimulatedReply {
  return { status: refusal.status, body: errorList(refusal) };
}

function jsonIn(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw invalidInput('The body is not JSON.');
  }
}
