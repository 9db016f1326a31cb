import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, type Session, whenSignedOut } from './api';
import { live } from './live';
import { SessionContext } from './session';
import { Shell } from './shell';
import { SignIn } from './sign-in';

function App() {
  const [session, setSession] = useState<Session | null>();
  useEffect(() => {
    whenSignedOut(() => setSession(null));
    call<Session>('GET', '/v1/session').then(setSession, () => setSession(null));
  }, []);
  useEffect(() => {
    if (session) live.start();
    else live.stop();
  }, [session]);
  if (session === undefined) return null;
  if (session === null) return <SignIn onSignedIn={setSession} />;
  return (
    <SessionContext.Provider value={session}>
      <Shell onSignedOut={() => setSession(null)} />
    </SessionContext.Provider>
  );
}

render(<App />, document.getElementById('app')!);
