import { useState } from 'preact/hooks';
import { OwnCount } from './basics';

/** Told elsewhere on the page, or of no use to a person. */
const LEFT_OUT = ['file', 'folder', 'fromVariables', 'roles', 'dataDirExplicit'];

/** The configuration by its sections, as onhand.yaml has them; a word finds the settings that it is part of. */
export function ConfigTree({ of }: { of: Record<string, unknown> }) {
  const [word, setWord] = useState('');
  const shown = Object.entries(of).filter(([name]) => !LEFT_OUT.includes(name));
  const isSection = ([, value]: [string, unknown]) => typeof value === 'object' && value !== null;
  const general = shown.filter((entry) => !isSection(entry)).flatMap(([name, value]) => flat(value, name));
  const settings = [
    { name: 'general', lines: general },
    ...shown.filter(isSection).map(([name, value]) => ({ name, lines: flat(value, name) })),
  ]
    .map(({ name, lines }) => ({
      name,
      lines: lines.filter(([path]) => path.toLowerCase().includes(word.toLowerCase())),
    }))
    .filter(({ lines }) => lines.length > 0);
  return (
    <>
      <search>
        <label for="setting">Setting</label>
        <input
          id="setting"
          type="search"
          value={word}
          placeholder="such as breaker"
          onInput={(event) => setWord(event.currentTarget.value)}
        />
      </search>
      {settings.map(({ name, lines }) => (
        <details key={name} class="card fold" open={word !== ''}>
          <summary>
            {name}{' '}
            <span class="quiet">
              (<OwnCount of={lines.length} as="listed" />)
            </span>
          </summary>
          <dl class="settings">
            {lines.map(([path, value]) => (
              <div key={path}>
                <dt>
                  <code>{path}</code>
                </dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      ))}
      {settings.length === 0 && <p class="notice empty">No setting is called so.</p>}
    </>
  );
}

/** `{push: {maxAttempts: 10}}` as `push.maxAttempts` and `10`. */
function flat(value: unknown, path: string): [path: string, value: string][] {
  if (Array.isArray(value))
    return value.length === 0
      ? [[path, 'none']]
      : value.flatMap((item, index) => flat(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null)
    return [[path, value === null ? 'not set' : String(value)]];
  const entries = Object.entries(value);
  return entries.length === 0
    ? [[path, 'none']]
    : entries.flatMap(([name, item]) => flat(item, `${path}.${name}`));
}
