/** `web` answers HTTP, `worker` runs jobs, `scheduler` wakes the recurring ones. */
export const ROLES = ['web', 'worker', 'scheduler'] as const;

export type Role = (typeof ROLES)[number];

const ONE = ROLES.join('|');

export const ROLE_TEXT = new RegExp(`^(?:all|(?:${ONE})(?:, *(?:${ONE}))*)$`);
export const ROLE_EXPECTED = `all, or some of ${ROLES.join(', ')} with commas between them, such as web,worker`;

/** Of a text that `ROLE_TEXT` accepts. */
export function rolesOf(text: string): readonly Role[] {
  const words = text.split(/, */);
  return ROLES.filter((role) => text === 'all' || words.includes(role));
}
