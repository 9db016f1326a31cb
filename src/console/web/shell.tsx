import { useEffect, useErrorBoundary, useRef, useState } from 'preact/hooks';
import { call } from './api';
import { useLive } from './live';
import { type ConsolePage, GROUPS, PAGES } from './pages';
import { Count } from './parts/basics';
import { Toasts } from './parts/toast';
import { matchPath, useRoute } from './route';
import { useMay, useSession } from './session';

/** What is around every page: the navigation, whether it is live, who is signed in, and what was just done. */
export function Shell({ onSignedOut }: { onSignedOut: () => void }) {
  const { path } = useRoute();
  const found = find(path);
  const title = found && titleOf(found);
  useEffect(() => {
    document.title = title ? `${title} · Onhand` : 'Onhand';
  }, [title]);
  useFocusOnMove(path);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        To the content
      </a>
      <SideBar path={path} onSignedOut={onSignedOut} />
      <main id="main" tabIndex={-1}>
        <Content key={path} found={found} />
      </main>
      <Toasts />
    </>
  );
}

interface Found {
  page: ConsolePage;
  params: Record<string, string>;
}

function find(path: string): Found | undefined {
  for (const page of PAGES) {
    const params = matchPath(page.path, path);
    if (params) return { page, params };
  }
  return undefined;
}

function titleOf({ page: { title }, params }: Found): string {
  return typeof title === 'string' ? title : title(params);
}

function SideBar({ path, onSignedOut }: { path: string; onSignedOut: () => void }) {
  const { connected } = useLive();
  const { name } = useSession();
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => setIsOpen(false), [path]);
  const signOut = () => void call('DELETE', '/v1/session').then(onSignedOut, onSignedOut);
  return (
    <header class="side">
      <div class="side-top">
        <span class="brand">
          <img src="./icon.svg" alt="" width="24" height="24" /> Onhand
        </span>
        <span role="status" class={connected ? 'live' : 'badge warn'}>
          {connected ? 'live' : 'connecting…'}
        </span>
        <button
          type="button"
          class="menu"
          aria-expanded={isOpen}
          aria-controls="menu"
          onClick={() => setIsOpen(!isOpen)}
        >
          Menu
        </button>
      </div>
      <div id="menu" class={isOpen ? 'side-menu open' : 'side-menu'}>
        <nav aria-label="Console">
          {GROUPS.map((group) => (
            <NavGroup key={group} group={group} path={path} />
          ))}
        </nav>
        <footer>
          <a href="/docs">API reference</a>
          <span class="quiet who">{name}</span>
          <button type="button" onClick={signOut}>
            Sign out
          </button>
        </footer>
      </div>
    </header>
  );
}

function NavGroup({ group, path }: { group: string; path: string }) {
  const pages = PAGES.filter((page) => page.group === group);
  const id = `nav-${group}`;
  if (pages.length === 0) return null;
  return (
    <div class="nav-group">
      <span id={id} class="nav-title">
        {group}
      </span>
      <ul aria-labelledby={id}>
        {pages.map((page) => (
          <NavLink key={page.path} page={page} isCurrent={isWithin(path, page.path)} />
        ))}
      </ul>
    </div>
  );
}

function NavLink({ page, isCurrent }: { page: ConsolePage; isCurrent: boolean }) {
  const waits = page.waits?.(useLive());
  return (
    <li>
      <a href={`#${page.path}`} aria-current={isCurrent ? 'page' : undefined}>
        {page.title as string}
      </a>
      {waits !== undefined && waits.count > 0 && (
        <span class="waits">
          <Count of={waits.count} to={`#${page.path}`} names={waits.names} />
        </span>
      )}
    </li>
  );
}

function isWithin(path: string, page: string): boolean {
  return page === '/' ? path === '/' : path === page || path.startsWith(`${page}/`);
}

/** A page that fails says so, and leaves the others reachable. */
function Content({ found }: { found: Found | undefined }) {
  const [failure] = useErrorBoundary();
  if (failure)
    return (
      <div role="alert" class="notice bad">
        <p>
          This page failed: {String(failure)}. The others still work; reloading may help, and a report surely
          does.
        </p>
      </div>
    );
  if (!found)
    return (
      <div class="notice">
        <h1>There is no such page</h1>
        <p>
          <a href="#/">To the overview</a>
        </p>
      </div>
    );
  return <Allowed {...found} />;
}

function Allowed({ page, params }: Found) {
  const may = useMay(page.needs);
  const { name } = useSession();
  if (may) return <page.View params={params} />;
  return (
    <>
      <h1>{titleOf({ page, params })}</h1>
      <div class="notice">
        <p>
          The key “{name}” of this session may not see this page. Sign in with one that has the scope{' '}
          <code>{page.needs}</code>.
        </p>
      </div>
    </>
  );
}

/** The focus goes to the page that a link led to, so that a screen reader reads it and Tab goes on from there. */
function useFocusOnMove(path: string): void {
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    scrollTo(0, 0);
    const main = document.getElementById('main');
    if (!main?.contains(document.activeElement)) main?.focus({ preventScroll: true });
  }, [path]);
}

/** The address behind # is the page's, so that the skip link cannot use it. */
function toMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
