/** What an API key may do; `admin` may do everything. */
export const SCOPES = [
  'admin',
  'stock:read',
  'stock:write',
  'reservations:write',
  'channels:read',
  'channels:write',
] as const;

export type Scope = (typeof SCOPES)[number];
