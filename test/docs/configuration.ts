import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getMetadataStorage } from 'class-validator';
import type { ValidationMetadata } from 'class-validator/types/metadata/ValidationMetadata.js';
import { CONFIG_SHAPE, type Shape } from '../../src/config/bind-config';
import { readDocComments } from '../../src/config/doc-comments';
import { OVERRIDES } from '../../src/config/environment';
import { readFieldKinds } from '../../src/config/field-rules';
import { HEADER, row, tableOf } from './markdown';

const FOLDER = join(__dirname, '../../src/config');

/** The reference of `onhand.yaml`, from the classes it is bound to: their fields, rules, defaults and comments. */
export function configurationReference(): string {
  const comments = new Map(
    readdirSync(FOLDER)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .flatMap((file) => [...readDocComments(readFileSync(join(FOLDER, file), 'utf8'))]),
  );
  const variables = Object.entries(OVERRIDES).map(([variable, path]) =>
    row(`\`${variable}\``, `\`${path.join('.')}\``),
  );
  return [
    '# Configuration',
    HEADER('npm run docs:config', 'the classes in `src/config`'),
    INTRODUCTION,
    '## Environment\n',
    'These variables win over the file. `ONHAND_ADMIN_KEY` (at least 16 characters) and `ONHAND_CONFIG` (path of the file) are read from the environment only.\n',
    tableOf(['variable', 'setting'], variables),
    ...sectionsOf(CONFIG_SHAPE as Shape<object>, '', comments),
    '',
  ].join('\n');
}

const INTRODUCTION = `
\`onhand.yaml\` lies in the folder that a host is started in, or where \`--config\` or \`ONHAND_CONFIG\` says. Without one,
every setting has its default. \`\${NAME}\` in a text is replaced by the environment variable of that name,
\`\${NAME:-text}\` falls back to the text, and \`$\${\` stands for a plain \`\${\`. A wrong file is answered with all of its
faults at once and exit code 2. \`onhand config show\` prints what is in force, \`onhand init\` writes a file, and
[onhand.example.yaml](../onhand.example.yaml) has every setting in place. What a plugin takes under \`options\` is told in
the plugin's own README.
`;

type Comments = ReadonlyMap<string, ReadonlyMap<string, string>>;

function sectionsOf(shape: Shape<object>, path: string, comments: Comments): string[] {
  const keys = readFieldKinds(shape.type).keys;
  const nested: Record<string, Shape<object>> = { ...shape.sections, ...shape.lists } as never;
  const plain = keys.filter((key) => nested[key] === undefined);
  const title = path === '' ? 'the file itself' : path;
  return [
    ...(plain.length > 0
      ? [`\n## \`${title}\`\n`.replace('`the file itself`', 'At the top'), settingsOf(shape, plain, comments)]
      : []),
    ...keys.flatMap((key) => {
      const sub = nested[key];
      if (sub === undefined) return [];
      const isList = (shape.lists as Record<string, unknown> | undefined)?.[key] !== undefined;
      return sectionsOf(sub, `${path === '' ? '' : `${path}.`}${key}${isList ? '[]' : ''}`, comments);
    }),
  ];
}

function settingsOf({ type }: Shape<object>, keys: readonly string[], comments: Comments): string {
  const defaults = new type() as Record<string, unknown>;
  const rows = keys.map((key) => {
    const { expected, isNullable } = rulesOf(type, key);
    const takes = isNullable ? `${expected}, or null` : expected;
    return row(`\`${key}\``, takes, defaultText(defaults[key]), commentOf(type, key, comments));
  });
  return tableOf(['setting', 'takes', 'default', ''], rows);
}

/** A subclass has its own comments before those of the class it extends. */
function commentOf(type: new () => object, key: string, comments: Comments): string {
  for (
    let one: unknown = type;
    typeof one === 'function' && one.name !== '';
    one = Object.getPrototypeOf(one)
  ) {
    const found = comments.get(one.name)?.get(key);
    if (found !== undefined) return found;
  }
  return '';
}

function rulesOf(type: new () => object, key: string): { expected: string; isNullable: boolean } {
  const all = getMetadataStorage()
    .getTargetValidationMetadatas(type, '', false, false)
    .filter(({ propertyName }) => propertyName === key);
  return {
    expected: all.map(expectedBy).filter(Boolean).join('; '),
    isNullable: all.some(({ type: kind }) => kind === 'conditionalValidation'),
  };
}

/** The phrase that a fault of the file is told with. */
function expectedBy({ constraintCls }: ValidationMetadata): string {
  return getMetadataStorage()
    .getTargetValidatorConstraints(constraintCls)
    .map(({ instance }) => instance.defaultMessage?.() ?? '')
    .join('; ');
}

function defaultText(value: unknown): string {
  if (value === undefined || value === '') return '';
  return `\`${JSON.stringify(value)}\``;
}
