import { HEADER, row, tableOf } from './markdown';

/** What this page uses of an OpenAPI document. */
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas?: Record<string, Schema> };
}

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
}

interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  items?: Schema;
  enum?: unknown[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  description?: string;
  default?: unknown;
}

/** The reference of the HTTP API, from the document that a host answers at `/docs/openapi.json`. */
export function apiReference({ paths, components: { schemas = {} } }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  // Nest lists a route for every method under which a webhook may come; one of them tells all.
  const told = operations.filter(({ path, method }) => !path.startsWith('/webhooks') || method === 'POST');
  const tags = [...new Set(told.map(tagOf))].sort();
  return [
    '# HTTP API',
    HEADER('npm run docs:api', 'the OpenAPI document of a running host'),
    INTRODUCTION,
    ...tags.flatMap((tag) => [
      `\n## ${tag}\n`,
      ...told
        .filter((each) => tagOf(each) === tag)
        .flatMap(({ path, method, operation }) => describe(path, method, operation)),
    ]),
    '\n## Bodies\n',
    ...Object.entries(schemas)
      .sort(([a], [b]) => a.localeCompare(b))
      .flatMap(([name, schema]) => bodyOf(name, schema)),
    '',
  ].join('\n');
}

function tagOf({ operation }: { operation: Operation }): string {
  return operation.tags?.[0] ?? 'others';
}

const INTRODUCTION = `
A host describes itself at \`/docs\`, for people, and at \`/docs/openapi.json\`. Keys go into \`Authorization: Bearer …\`.
Errors are \`application/problem+json\` (RFC 9457); [troubleshooting](troubleshooting.md) has an entry for each \`type\`.
Lists come in pages: \`items\`, and \`nextCursor\` where there are more, which goes into \`?cursor=\`; \`?limit=\` is 1 to 500. A
write with an \`Idempotency-Key\` is done once however often it is sent, and answered the same.
`;

function describe(
  path: string,
  method: string,
  { summary = '', description, parameters = [], requestBody }: Operation,
): string[] {
  const query = parameters.filter(({ in: where }) => where === 'query').map(({ name }) => `\`${name}\``);
  const header = parameters.filter(({ in: where }) => where === 'header').map(({ name }) => `\`${name}\``);
  const body = requestBody && Object.entries(requestBody.content)[0];
  const facts = [
    ...(query.length > 0 ? [`query ${query.join(', ')}`] : []),
    ...(header.length > 0 ? [`header ${header.join(', ')}`] : []),
    ...(body ? [`body ${body[1].schema ? typeText(body[1].schema) : body[0]}`] : []),
  ];
  const text = [summary, description].filter(Boolean).join('. ');
  return [`- **\`${method} ${path}\`** ${text}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}`];
}

function bodyOf(name: string, { properties = {}, required = [], description = '' }: Schema): string[] {
  const rows = Object.entries(properties).map(([field, schema]) =>
    row(
      `\`${field}\`${required.includes(field) ? '' : '?'}`,
      typeText(schema),
      [
        schema.description,
        schema.default === undefined ? '' : `default \`${JSON.stringify(schema.default)}\``,
      ]
        .filter(Boolean)
        .join('; '),
    ),
  );
  return rows.length === 0
    ? []
    : [`\n### ${name}\n`, description, tableOf(['field', 'type', ''], rows)].filter((line) => line !== '');
}

function typeText({ $ref, type, items, enum: words, oneOf, allOf }: Schema): string {
  const ref = $ref ?? allOf?.[0]?.$ref;
  if (ref !== undefined) {
    const name = ref.split('/').at(-1)!;
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (oneOf) return oneOf.map(typeText).join(' or ');
  if (words) return words.map((word) => `\`${String(word)}\``).join(', ');
  if (type === 'array') return `list of ${typeText(items ?? {})}`;
  return type ?? 'anything';
}
