/** What the comments above a class's fields say, in one line each: by class, then by field. */
export type DocComments = ReadonlyMap<string, ReadonlyMap<string, string>>;

const CLASS = /^export (?:declare )?class (\w+)/;
const FIELD = /^ {2,4}(?:readonly )?(\w+)[?!]?(?::|;| =)/;

/**
 * Reads `/** … *\/` above the fields of exported classes, from TypeScript or from the declarations made of it, both as a
 * formatter leaves them: one declaration a line, a class closed by a brace at its start. Decorators may stand between.
 */
export function readDocComments(source: string): DocComments {
  const classes = new Map<string, Map<string, string>>();
  let fields: Map<string, string> | undefined;
  let comment: string[] | undefined;
  let isOpen = false;
  for (const line of source.split('\n')) {
    const [, className] = CLASS.exec(line) ?? [];
    if (className !== undefined) {
      fields = new Map();
      classes.set(className, fields);
    } else if (line.startsWith('}')) fields = undefined;
    if (fields === undefined || className !== undefined) continue;
    const text = line.trim();
    if (text.startsWith('/**')) {
      comment = [];
      isOpen = true;
    }
    if (isOpen) {
      comment!.push(
        text
          .replace(/^\/\*\*/, '')
          .replace(/\*\/$/, '')
          .replace(/^\*(?!\/)/, '')
          .trim(),
      );
      isOpen = !text.endsWith('*/');
      continue;
    }
    const [, field] = FIELD.exec(line) ?? [];
    if (field === undefined) continue;
    if (comment !== undefined) fields.set(field, oneLine(comment));
    comment = undefined;
  }
  return classes;
}

/** Tags such as `@see` are for those who read the code. */
function oneLine(lines: readonly string[]): string {
  const told = lines.filter((line) => !line.startsWith('@'));
  return told.join(' ').replace(/\s+/g, ' ').trim();
}
