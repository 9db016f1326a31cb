import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { getVariableValues } from 'graphql/execution/values';
import type { SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import type { Access } from './access';
import { deniedField } from './access-scopes';
import type { BulkOperations } from './bulk-operations';
import type { CallContext } from './connection';
import type { CostBucket } from './cost-bucket';
import { costOf, type Costed, MOST_COST_OF_ONE_QUERY } from './query-cost';

export interface AdminApiParts {
  access: Access;
  bucket: CostBucket;
  scopes: readonly string[];
  bulk: BulkOperations;
  root: Record<string, unknown>;
  schemaOf(apiVersion: string): GraphQLSchema;
}

interface Call extends Costed {
  operation: OperationDefinitionNode;
  document: DocumentNode;
}

/** Documents that were read and checked, by schema and text: plugins send the same few again and again. */
type Checked = { document: DocumentNode } | { errors: readonly GraphQLError[] };

const GRAPHQL_PATH = /^\/admin\/api\/([^/]+)\/graphql\.json$/;

/** The Admin API's wire: tokens, GraphQL under HTTP 200 with its cost, and results of bulk operations. */
export class AdminApi {
  private readonly checked = new WeakMap<GraphQLSchema, Map<string, Checked>>();

  constructor(private readonly parts: AdminApiParts) {}

  answer(request: SimulatedRequest): SimulatedReply | Promise<SimulatedReply> {
    const { method, path } = request;
    if (method === 'POST' && path === '/admin/oauth/access_token') return this.parts.access.grant(request);
    if (method === 'GET') return this.parts.bulk.answer(path, request.headers.range);
    const version = GRAPHQL_PATH.exec(path)?.[1];
    if (version === undefined) return { status: 404, body: { errors: 'Not Found' } };
    if (!this.parts.access.isAllowed(request))
      return {
        status: 401,
        body: { errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' },
      };
    return this.graphql(request, version);
  }

  /** Runs a query as a bulk operation does: over whole connections, and for nothing. */
  runInBulk(apiVersion: string, document: DocumentNode): Promise<ExecutionResult> {
    const contextValue: CallContext = { apiVersion, isBulk: true, pretend: false };
    const schema = this.parts.schemaOf(apiVersion);
    return Promise.resolve(execute({ schema, document, rootValue: this.parts.root, contextValue }));
  }

  private async graphql({ body, pretend }: SimulatedRequest, apiVersion: string): Promise<SimulatedReply> {
    const given = jsonIn(body);
    if (!given) return { status: 400, body: { errors: { query: 'Required parameter missing or invalid' } } };
    const schema = this.parts.schemaOf(apiVersion);
    const call = this.callOf(schema, given);
    if ('errors' in call) return ok({ errors: call.errors });
    const denied = deniedField(call.operation, call, this.parts.scopes);
    if (denied) return ok({ errors: [accessDenied(denied)], data: null });
    return this.costed(call, { apiVersion, isBulk: false, pretend });
  }

  private async costed(call: Call, contextValue: CallContext): Promise<SimulatedReply> {
    const { bucket, root } = this.parts;
    const requested = costOf(call.operation, call);
    if (requested > MOST_COST_OF_ONE_QUERY) return ok({ errors: [tooDear(requested)] });
    const taken = bucket.take(requested);
    const cost = (actual: number | null) => ({
      cost: { requestedQueryCost: requested, actualQueryCost: actual, throttleStatus: bucket.status() },
    });
    if (!taken.mayRun) return ok({ errors: [THROTTLED], extensions: cost(null) });
    const { schema, document, variables: variableValues, operation } = call;
    const result = await execute({
      ...{ schema, document, variableValues, contextValue, rootValue: root },
      operationName: operation.name?.value,
    });
    const actual = Math.min(costOf(operation, call, result.data ?? {}), requested);
    bucket.settle(taken, actual);
    return ok({ ...result, extensions: cost(actual) });
  }

  private callOf(
    schema: GraphQLSchema,
    { query, variables, operationName }: GivenCall,
  ): Call | { errors: readonly GraphQLError[] } {
    const checked = this.checkedDocument(schema, query);
    if ('errors' in checked) return checked;
    const { definitions } = checked.document;
    const operations = definitions.filter(
      (each): each is OperationDefinitionNode => each.kind === Kind.OPERATION_DEFINITION,
    );
    const operation =
      operationName === undefined
        ? operations[0]
        : operations.find((each) => each.name?.value === operationName);
    if (!operation) return { errors: [new GraphQLError(`No operation named "${operationName}"`)] };
    const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
    if (coerced.errors) return { errors: coerced.errors.map((error) => withCode(error, 'INVALID_VARIABLE')) };
    const fragments = Object.fromEntries(
      definitions
        .filter((each): each is FragmentDefinitionNode => each.kind === Kind.FRAGMENT_DEFINITION)
        .map((each) => [each.name.value, each]),
    );
    // The raw variables: execution coerces them itself, and knows an absent field from one that is null.
    return { schema, operation, document: checked.document, fragments, variables };
  }

  private checkedDocument(schema: GraphQLSchema, query: string): Checked {
    const ofSchema = this.checked.get(schema) ?? new Map<string, Checked>();
    this.checked.set(schema, ofSchema);
    const known = ofSchema.get(query);
    if (known) return known;
    const checked = check(schema, query);
    ofSchema.set(query, checked);
    return checked;
  }
}

function check(schema: GraphQLSchema, query: string): Checked {
  try {
    const document = parse(query);
    const errors = validate(schema, document);
    return errors.length > 0 ? { errors } : { document };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

interface GivenCall {
  query: string;
  variables: Record<string, unknown>;
  operationName?: string;
}

function jsonIn(body: Buffer): GivenCall | undefined {
  try {
    const given = JSON.parse(body.toString('utf8')) as Partial<GivenCall> | null;
    if (typeof given?.query !== 'string') return undefined;
    const { query, variables, operationName } = given;
    return { query, variables: variables ?? {}, ...(operationName == null ? {} : { operationName }) };
  } catch {
    return undefined;
  }
}

const THROTTLED = new GraphQLError('Throttled', {
  extensions: { code: 'THROTTLED', documentation: 'https://shopify.dev/api/usage/rate-limits' },
});

function tooDear(cost: number): GraphQLError {
  const message = `Query cost is ${cost}, which exceeds the single query max cost limit (${MOST_COST_OF_ONE_QUERY}).`;
  return new GraphQLError(message, {
    extensions: { code: 'MAX_COST_EXCEEDED', cost, maxCost: MOST_COST_OF_ONE_QUERY },
  });
}

function accessDenied({ field, scope }: { field: string; scope: string }): GraphQLError {
  return new GraphQLError(`Access denied for ${field} field. Required access: \`${scope}\` access scope.`, {
    extensions: {
      code: 'ACCESS_DENIED',
      documentation: 'https://shopify.dev/api/usage/access-scopes',
      requiredAccess: `\`${scope}\` access scope.`,
    },
  });
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, { nodes: error.nodes, extensions: { code } });
}

function ok(body: object): SimulatedReply {
  return { status: 200, body };
}
