import { useRef, useState } from 'preact/hooks';
import { type ApiProblem, call } from '../api';
import { useApi } from '../hooks';
import { SCOPES, type Scope } from '../session';
import type { Page } from '../types';
import { AskButton } from './ask';
import { Badge, Section, sentence, Shown } from './basics';
import { Dialog } from './dialog';
import { type Column, Table } from './table';
import { Ago, Time } from './time';

interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  createdAt: string;
  revokedAt: string | null;
}

/** API keys: who has one, for what; a new one is shown once. */
export function Keys() {
  const keys = useApi<Page<ApiKey>>('/v1/keys');
  const [isMaking, setIsMaking] = useState(false);
  return (
    <Section
      id="keys"
      title="API keys"
      beside={
        <button type="button" class="primary" onClick={() => setIsMaking(true)}>
          New key
        </button>
      }
    >
      <Shown
        of={keys}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <p>
            There is none beside <code>ONHAND_ADMIN_KEY</code>. Give each program and each person one of their
            own, with no more scopes than it needs.
          </p>
        }
      >
        {({ items }) => (
          <Table
            label="API keys"
            columns={columnsOf(keys.reload)}
            items={sorted(items)}
            keyOf={({ id }) => id}
          />
        )}
      </Shown>
      {isMaking && (
        <NewKey
          onDone={() => {
            setIsMaking(false);
            keys.reload();
          }}
        />
      )}
    </Section>
  );
}

/** Those in force first. */
function sorted(keys: ApiKey[]): ApiKey[] {
  return [...keys].sort((a, b) => Number(a.revokedAt !== null) - Number(b.revokedAt !== null));
}

function columnsOf(reload: () => void): Column<ApiKey>[] {
  return [
    { name: 'Name', heading: true, of: ({ name }) => name },
    { name: 'Scopes', class: 'long', of: ({ scopes }) => scopes.join(', ') },
    { name: 'Made', of: ({ createdAt }) => <Time at={createdAt} /> },
    {
      name: 'State',
      of: ({ revokedAt }) =>
        revokedAt ? (
          <>
            <Badge tone="plain">revoked</Badge> <Ago at={revokedAt} />
          </>
        ) : (
          <Badge tone="good">in force</Badge>
        ),
    },
    {
      name: 'Do',
      class: 'actions',
      of: ({ id, name, revokedAt }) =>
        revokedAt === null && (
          <AskButton
            needs="admin"
            label="Revoke"
            name={`Revoke: ${name}`}
            question={{
              title: `Revoke the key “${name}”`,
              explains:
                'Whoever uses it is refused from now on, and browsers signed in with it are signed out. That cannot be taken back.',
              method: 'DELETE',
              path: `/v1/keys/${id}`,
              keepsNoReason: true,
              confirm: 'Revoke',
              done: `The key “${name}” is revoked.`,
            }}
            onDone={reload}
          />
        ),
    },
  ];
}

/** What each scope lets do. */
const EXPLAINED: Record<Scope, string> = {
  'stock:read': 'see stock, its events and reservations',
  'stock:write': 'post stock events, make SKUs and locations, send counts',
  'reservations:write': 'make, confirm and release reservations',
  'channels:read': 'see channels, orders, tasks and alerts',
  'channels:write': 'decide at the desk, map listings, run and cancel tasks',
  admin: 'everything, also keys and settings',
};

function NewKey({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<Scope[]>([]);
  const [problem, setProblem] = useState<string>();
  const [key, setKey] = useState<string>();
  if (key) return <ShownOnce name={name} apiKey={key} onDone={onDone} />;

  async function make(event: SubmitEvent) {
    event.preventDefault();
    if (scopes.length === 0) return setProblem('choose one scope at least');
    try {
      const made = await call<{ key: string }>('POST', '/v1/keys', { name: name.trim(), scopes });
      setKey(made.key);
    } catch (error) {
      setProblem((error as ApiProblem).message);
    }
  }

  const toggle = (scope: Scope) =>
    setScopes(scopes.includes(scope) ? scopes.filter((each) => each !== scope) : [...scopes, scope]);

  return (
    <Dialog title="New API key" onClose={onDone}>
      <form onSubmit={(event) => void make(event)}>
        <label for="key-name">Name: who or what uses it</label>
        <input
          id="key-name"
          required
          maxLength={100}
          value={name}
          placeholder="such as warehouse scanner"
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <fieldset>
          <legend>It may</legend>
          {SCOPES.map((scope) => (
            <label key={scope} class="choose">
              <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
              <span>
                <code>{scope}</code> <span class="quiet">{EXPLAINED[scope]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {problem && (
          <p role="alert" class="notice bad">
            {sentence(problem)}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary">
            Make the key
          </button>
          <button type="button" onClick={onDone}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function ShownOnce({ name, apiKey, onDone }: { name: string; apiKey: string; onDone: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [isCopied, setIsCopied] = useState(false);
  const copy = () =>
    navigator.clipboard.writeText(apiKey).then(
      () => setIsCopied(true),
      // Without TLS a browser gives no clipboard to a page; then it is copied by hand.
      () => field.current?.select(),
    );
  return (
    <Dialog title={`The key of “${name}”`} onClose={onDone}>
      <p>It is shown this once and kept nowhere in readable form. Put it where its user reads it, now.</p>
      <div class="row">
        <input
          ref={field}
          class="grow"
          readOnly
          aria-label="API key"
          value={apiKey}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <div class="buttons">
        <button type="button" class="primary" onClick={onDone}>
          I have it
        </button>
      </div>
    </Dialog>
  );
}
