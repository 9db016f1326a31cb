/** What the shop answers in `userErrors` instead of doing it; `code` is null where the type has no codes. */
export interface UserError {
  field: string[] | null;
  message: string;
  code: string | null;
}

/** Thrown by what would change something, before anything is changed. */
export class ShopRefusal extends Error {
  constructor(readonly errors: readonly UserError[]) {
    super(errors.map(({ message }) => message).join('; '));
    this.name = 'ShopRefusal';
  }
}

export function refusal(field: string[] | null, message: string, code: string | null = null): ShopRefusal {
  return new ShopRefusal([{ field, message, code }]);
}
