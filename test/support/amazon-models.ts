import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/** Where Amazon's own models lie; they are no part of this project. */
const CONTRACTS = resolve(__dirname, '../..', process.env.CONTRACTS_DIR ?? '../shared/contracts', 'amazon');

interface Operation {
  operationId?: string;
  responses: Record<string, { schema?: object }>;
}

interface Model {
  paths: Record<string, Record<string, Operation>>;
  definitions: Record<string, object>;
}

/** Validates answers, notifications and feed reports against what Amazon publishes of them. */
export class OfficialModels {
  private readonly ajv = addFormats(new Ajv({ strict: false, allErrors: true, logger: false }));
  private readonly answers = new Map<string, ValidateFunction | undefined>();

  /** Undefined, with a warning that says what to do, where the models are not at hand. */
  static load(): OfficialModels | undefined {
    if (existsSync(join(CONTRACTS, 'models'))) return new OfficialModels();
    process.emitWarning(
      `${CONTRACTS} is missing, so nothing is compared with Amazon's models; CONTRACTS_DIR=<folder> npx jest test/plugins compares`,
    );
    return undefined;
  }

  private constructor() {
    for (const file of readdirSync(join(CONTRACTS, 'models'))) {
      const { paths, definitions } = this.read<Model>('models', file);
      const name = basename(file, '.json');
      this.ajv.addSchema({ $id: name, definitions });
      for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
        for (const [status, { schema }] of Object.entries(operation.responses ?? {})) {
          const validate = schema && this.ajv.compile(withModel(schema, name));
          this.answers.set(`${operation.operationId} ${status}`, validate);
        }
      }
    }
  }

  /** What is wrong with answers, each problem once; says so too where a model has no such answer. */
  problemsOfAnswers(answers: readonly { operation: string; status: number; body: unknown }[]): string[] {
    const problems = answers.flatMap(({ operation, status, body }) => {
      const name = `${operation} ${status}`;
      if (!this.answers.has(name)) return [`${name} is not in the models`];
      const validate = this.answers.get(name);
      return validate ? problemsOf(validate, body).map((problem) => `${name}: ${problem}`) : [];
    });
    return [...new Set(problems)];
  }

  problemsOfNotification(file: string, body: unknown): string[] {
    const { $id: _, ...schema } = this.read<{ $id?: string }>('notifications', `${file}.json`);
    return problemsOf(this.ajv.compile(withoutIds(schema)), body);
  }

  problemsOfFeedReport(body: unknown): string[] {
    const schema = this.read<object>('feeds', 'listings-feed-processing-report-schema-v2.json');
    return problemsOf(this.ajv.compile(schema), body);
  }

  private read<T>(folder: string, file: string): T {
    return JSON.parse(readFileSync(join(CONTRACTS, folder, file), 'utf8')) as T;
  }
}

function problemsOf(validate: ValidateFunction, body: unknown): string[] {
  if (validate(body)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** References of a model point into itself. */
function withModel(schema: object, name: string): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', `"${name}#/definitions/`)) as object;
}

/** Each part of some notification schemas carries an `$id` that is none. */
function withoutIds(schema: unknown): object {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === '$id' && typeof value === 'string' && value.startsWith('#') ? undefined : value,
    ),
  ) as object;
}
