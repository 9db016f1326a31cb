import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Session } from './api';

/** As `src/access/scopes.ts` has them; `admin` may do everything. */
export const SCOPES = [
  'stock:read',
  'stock:write',
  'reservations:write',
  'channels:read',
  'channels:write',
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

export const SessionContext = createContext<Session>({ name: '', scopes: [], expiresAt: '' });

export function useSession(): Session {
  return useContext(SessionContext);
}

/** Whether this session's key has the scope. The host refuses in any case; the console says so beforehand. */
export function useMay(scope: Scope): boolean {
  const { scopes } = useSession();
  return scopes.includes('admin') || scopes.includes(scope);
}

/** Says why a page has no buttons, where the session may look and not act. */
export function ScopeNote({ needs, to }: { needs: Scope; to: string }) {
  const { name } = useSession();
  if (useMay(needs)) return null;
  return (
    <p class="notice quiet">
      The key “{name}” may look here. To {to}, sign in with one that has the scope <code>{needs}</code>.
    </p>
  );
}
