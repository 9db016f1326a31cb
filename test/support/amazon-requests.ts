import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { ChannelHttpRequest } from '../../src/channel-api';

/** Where Amazon's own models lie; they are no part of this project. */
const CONTRACTS = resolve(__dirname, '../..', process.env.CONTRACTS_DIR ?? '../shared/contracts', 'amazon');

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'body';
  required?: boolean;
  schema?: object;
  type?: string;
  items?: object;
  [rule: string]: unknown;
}

interface Operation {
  operationId?: string;
  parameters?: Parameter[];
  responses: Record<string, Sandboxed & { schema?: object }>;
  [extension: `x-${string}`]: unknown;
}

interface Sandboxed {
  'x-amzn-api-sandbox'?: {
    static?: { request: { parameters?: Record<string, { value: unknown }> }; response: unknown }[];
  };
}

/** An example of Amazon's static sandbox: what is asked, and what it answers to just that. */
export interface SandboxPair {
  operation: string;
  method: string;
  /** With values in place of its parameters. */
  path: string;
  query: Record<string, unknown>;
  body: unknown;
  status: number;
  response: unknown;
}

interface Known {
  name: string;
  method: string;
  template: string;
  operation: Operation;
  check: (parameter: Parameter, value: unknown) => string[];
}

/** What Amazon's models say of requests: which there are, what each may and must carry, and the sandbox's examples. */
export class OfficialRequests {
  private readonly ajv = addFormats(
    new Ajv({ strict: false, allErrors: true, coerceTypes: true, logger: false }),
  );
  private readonly known: Known[] = [];

  /** Undefined where the models are not at hand. */
  static load(): OfficialRequests | undefined {
    return existsSync(join(CONTRACTS, 'models')) ? new OfficialRequests() : undefined;
  }

  private constructor() {
    // Orders v0 has operations of the same names, and is on its way out.
    for (const file of readdirSync(join(CONTRACTS, 'models')).filter((each) => each !== 'ordersV0.json')) {
      const { paths, definitions } = this.read<{
        paths: Record<string, Record<string, Operation>>;
        definitions: object;
      }>('models', file);
      const model = basename(file, '.json');
      this.ajv.addSchema({ $id: model, definitions });
      for (const [template, methods] of Object.entries(paths))
        for (const [method, operation] of Object.entries(methods))
          if (operation?.operationId !== undefined)
            this.known.push({
              name: operation.operationId,
              method: method.toUpperCase(),
              template,
              operation,
              check: this.checkOf(model),
            });
    }
  }

  /** What is wrong with a request, in words; that no operation takes it, too. */
  problemsOf({ method, url, json }: Pick<ChannelHttpRequest, 'method' | 'url' | 'json'>): string[] {
    const { pathname, searchParams } = new URL(url);
    const found = this.known.find((each) => each.method === method && valuesIn(each.template, pathname));
    if (!found) return [`no operation takes ${method} ${pathname}`];
    const given: Record<string, unknown> = { ...valuesIn(found.template, pathname) };
    const parameters = found.operation.parameters ?? [];
    const problems = [...searchParams.keys()]
      .filter((name) => !parameters.some((each) => each.in === 'query' && each.name === name))
      .map((name) => `${found.name} takes no ${name}`);
    for (const parameter of parameters) {
      const text = searchParams.get(parameter.name);
      const sent = parameter.in === 'query' ? text : parameter.in === 'body' ? json : given[parameter.name];
      if (sent === null || sent === undefined) {
        if (parameter.required) problems.push(`${found.name} needs ${parameter.name}`);
        continue;
      }
      const value = parameter.type === 'array' ? String(sent).split(',') : sent;
      problems.push(
        ...found.check(parameter, value).map((problem) => `${found.name} ${parameter.name}${problem}`),
      );
    }
    return problems;
  }

  operationOf({ method, url }: Pick<ChannelHttpRequest, 'method' | 'url'>): string | undefined {
    const { pathname } = new URL(url);
    return this.known.find((each) => each.method === method && valuesIn(each.template, pathname))?.name;
  }

  problemsOfFeed(document: unknown): string[] {
    const schema = this.read<object>('feeds', 'listings-feed-schema-v2.json');
    return problemsOf(this.ajv.compile(schema), structuredClone(document));
  }

  sandboxPairs(operations: readonly string[]): SandboxPair[] {
    return this.known
      .filter(({ name }) => operations.includes(name))
      .flatMap((known) =>
        Object.entries(known.operation.responses).flatMap(([status, response]) =>
          (response['x-amzn-api-sandbox']?.static ?? []).map((pair) => pairOf(known, Number(status), pair)),
        ),
      );
  }

  read<T>(folder: string, file: string): T {
    return JSON.parse(readFileSync(join(CONTRACTS, folder, file), 'utf8')) as T;
  }

  private checkOf(model: string): Known['check'] {
    return (parameter, value) => {
      const { name: _, in: __, required: ___, schema, ...rules } = parameter;
      const text = JSON.stringify(schema ?? rules).replaceAll('"#/definitions/', `"${model}#/definitions/`);
      return problemsOf(this.ajv.compile(JSON.parse(text) as object), structuredClone({ value }).value);
    };
  }
}

function pairOf(
  { name, method, template, operation }: Known,
  status: number,
  pair: NonNullable<NonNullable<Sandboxed['x-amzn-api-sandbox']>['static']>[number],
): SandboxPair {
  const given = pair.request.parameters ?? {};
  const query: Record<string, unknown> = {};
  let body: unknown;
  let path = template;
  for (const { name: parameter, in: place } of operation.parameters ?? []) {
    const value = given[parameter]?.value;
    if (place === 'path') path = path.replace(`{${parameter}}`, encodeURIComponent(String(value ?? 'any')));
    else if (place === 'body') body = value ?? (parameter in given ? {} : undefined);
    else if (value !== undefined) query[parameter] = value;
  }
  return { operation: name, method, path, query, body, status, response: pair.response };
}

/** The values of a template's parameters; undefined where the path is none of the template. */
function valuesIn(template: string, path: string): Record<string, string> | undefined {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const found = new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(path);
  return found
    ? Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1]!)]))
    : undefined;
}

function problemsOf(validate: ValidateFunction, value: unknown): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
