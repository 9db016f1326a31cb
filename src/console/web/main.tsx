import { render } from 'preact';
import { useEffect, useErrorBoundary, useState } from 'preact/hooks';
import { call, type Session, whenSignedOut } from './api';
import { Desk } from './desk';
import { useRoute } from './hooks';
import { live, useLive } from './live';
import { Overview } from './overview';
import { ParkedItems } from './parked';
import { SignIn } from './sign-in';
import { Sku } from './sku';
import { StockSearch } from './stock';

const PAGES = [
  { route: '/', name: 'Overview' },
  { route: '/stock', name: 'Stock' },
  { route: '/oversells', name: 'Oversells' },
  { route: '/parked', name: 'Parked' },
];

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
  return <Console session={session} onSignedOut={() => setSession(null)} />;
}

function Console({ session, onSignedOut }: { session: Session; onSignedOut: () => void }) {
  const route = useRoute();
  const { connected } = useLive();
  const signOut = () => void call('DELETE', '/v1/session').then(onSignedOut, onSignedOut);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        To the content
      </a>
      <header class="bar">
        <span class="brand">
          <img src="./icon.svg" alt="" width="24" height="24" /> Onhand
        </span>
        <nav aria-label="Console">
          {PAGES.map(({ route: to, name }) => (
            <a key={to} href={`#${to}`} aria-current={isCurrent(route, to) ? 'page' : undefined}>
              {name}
            </a>
          ))}
          <a href="/docs">API</a>
        </nav>
        <span role="status" class={connected ? 'quiet' : 'badge warn'}>
          {connected ? 'live' : 'connecting…'}
        </span>
        <span class="quiet who">{session.name}</span>
        <button type="button" onClick={signOut}>
          Sign out
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <Content route={route} session={session} />
      </main>
    </>
  );
}

/** A page that fails says so, and leaves the others reachable. */
function Content({ route, session }: { route: string; session: Session }) {
  const [failure, forget] = useErrorBoundary();
  useEffect(forget, [route]);
  if (failure)
    return (
      <div role="alert" class="notice bad">
        <p>
          This page failed: {String(failure)}. The others still work; reloading may help, and a report surely
          does.
        </p>
      </div>
    );
  return <CurrentPage route={route} session={session} />;
}

function CurrentPage({ route, session: { scopes } }: { route: string; session: Session }) {
  const sku = /^\/stock\/(.+)$/.exec(route)?.[1];
  if (sku) return <Sku key={sku} sku={decodeURIComponent(sku)} />;
  const may = (scope: string) => scopes.includes('admin') || scopes.includes(scope);
  if (route === '/stock') return <StockSearch />;
  if (route === '/parked') return <ParkedItems mayAct={may('channels:write')} />;
  if (route === '/oversells') return <Desk mayAct={may('channels:write')} />;
  if (route === '/') return <Overview mayRead={may('channels:read')} />;
  return (
    <div class="notice">
      <h1>There is no such page</h1>
      <p>
        <a href="#/">To the overview</a>
      </p>
    </div>
  );
}

function isCurrent(route: string, to: string): boolean {
  return to === '/' ? route === '/' : route.startsWith(to);
}

/** The address behind # is the page's, so that the skip link cannot use it. */
function toMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

render(<App />, document.getElementById('app')!);
