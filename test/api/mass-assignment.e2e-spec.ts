import { type ApiDocument } from '../fuzz/http-fuzzer';
import { startTestHost, type TestHost } from '../support/host';
import type { ProblemAnswer } from '../support/host-client';
import { filled, operationsOf } from '../support/routes';
import { countRows } from '../support/row-counts';

/** What is not a caller's to set, wherever it is sent. */
const NOT_THEIRS = ['tenantId', 'createdAt', 'recordedAt', 'actor', 'isAdmin', 'levelAfter', 'hash'];
const REACHING = ['__proto__', 'constructor', 'prototype', 'toString'];
/** The same for lists, whose items are answered one by one. */
const LISTS = /^POST \/v1\/(skus|events|counts|channels\/\{channel\}\/listings\/import)$/;

let host: TestHost;
let operations: { name: string; method: string; path: string }[];

beforeAll(async () => {
  host = await startTestHost();
  const { body } = await host.api.get<ApiDocument>('/docs/openapi.json');
  operations = operationsOf(body as unknown as Parameters<typeof operationsOf>[0])
    .filter(({ method, path }) => body.paths[path]![method.toLowerCase()]!.requestBody !== undefined)
    .map(({ method, path }) => ({ name: `${method} ${path}`, method, path }));
});

afterAll(() => host.close());

/** That somebody was refused is written down; nothing else is. */
const rows = async () => ({ ...(await countRows(host.dataSource)), 'public.activity': 0 });

const send = (method: string, path: string, body: string) =>
  host.api.send<ProblemAnswer>(method, filled(path), {
    headers: { 'content-type': 'application/json' },
    body,
  });

test('no route takes a field that is not its own, and each is named', async () => {
  const before = await rows();
  expect(operations.length).toBeGreaterThan(25);
  for (const { name, method, path } of operations.filter((each) => !LISTS.test(each.name))) {
    const fields = Object.fromEntries(NOT_THEIRS.map((field) => [field, 'x']));
    const { status, body } = await send(method, path, JSON.stringify(fields));
    const refused = body.errors?.filter(({ message }) => message === 'is not a field of this request');
    expect({ name, status, refused: refused?.map(({ field }) => field).sort() }).toEqual({
      name,
      status: 400,
      refused: [...NOT_THEIRS].sort(),
    });
  }
  expect(await rows()).toEqual(before);
});

test('no route takes a key that reaches into prototypes, at any depth', async () => {
  const before = await rows();
  for (const { name, method, path } of operations)
    for (const field of REACHING)
      for (const body of [`{"${field}":{"isAdmin":true}}`, `[{"a":[{"${field}":1}]}]`]) {
        const { status, body: problem } = await send(method, path, body);
        expect({ name, field, status, code: problem.code }).toEqual({
          name,
          field,
          status: 400,
          code: 'invalid-request',
        });
      }
  expect({}).not.toHaveProperty('isAdmin');
  expect(await rows()).toEqual(before);
});
