/** What a message to a customer may name; `{{lines}}` reads as `2 × SKU, 1 × OTHER`. */
export const MESSAGE_VARIABLES = ['orderId', 'channel', 'lines', 'units'] as const;

export type MessageVariables = Record<(typeof MESSAGE_VARIABLES)[number], string>;

const PLACE = /\{\{\s*(\w*)\s*\}\}/g;

/** True when every `{{…}}` names a variable that there is, and no brace is left open. */
export function isMessageTemplate(text: string): boolean {
  const known: readonly string[] = MESSAGE_VARIABLES;
  const named = [...text.matchAll(PLACE)].every(([, name]) => known.includes(name!));
  return named && !/\{\{|\}\}/.test(text.replace(PLACE, ''));
}

/**
 * Plain text. Values come from strangers, and the channel may show the text as HTML: they lose control
 * characters and angle brackets, without which no tag can be made.
 */
export function renderMessage(template: string, values: MessageVariables): string {
  return template.replace(PLACE, (_, name: keyof MessageVariables) =>
    values[name].replace(/[\p{Cc}<>]/gu, ' ').trim(),
  );
}
