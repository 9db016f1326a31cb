import { useState } from 'preact/hooks';
import { type ApiProblem, call, type Session } from './api';

export function SignIn({ onSignedIn }: { onSignedIn: (session: Session) => void }) {
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      onSignedIn(await call<Session>('POST', '/v1/session', { key: key.trim() }));
    } catch (error) {
      setProblem((error as ApiProblem).message);
      setBusy(false);
    }
  }

  return (
    <main class="sign-in">
      <h1>
        <img src="./icon.svg" alt="" width="36" height="36" /> Onhand
      </h1>
      <form onSubmit={(event) => void submit(event)}>
        <label for="key">API key</label>
        <input
          id="key"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          value={key}
          aria-describedby="key-help"
          aria-invalid={problem !== undefined}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <p id="key-help" class="quiet">
          The first one was shown on the terminal when this host first started, or is the{' '}
          <code>ONHAND_ADMIN_KEY</code> it was given. More are made with <code>onhand keys create</code>.
        </p>
        {problem && (
          <p role="alert" class="notice bad">
            That did not work: {problem}.
          </p>
        )}
        <button type="submit" class="primary" disabled={busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
