import { isMessageTemplate, renderMessage } from './message-template';

const VALUES = { orderId: 'O-1', channel: 'shop', lines: '2 × MUG', units: '2' };

describe('a message to a customer', () => {
  test.each(['Sorry.', '{{orderId}}', '{{ orderId }}{{lines}} {{units}} {{channel}}', 'a { b } c', '$& $1'])(
    '%j is a template',
    (text) => expect(isMessageTemplate(text)).toBe(true),
  );

  test.each([
    '{{order}}',
    '{{}}',
    '{{orderId',
    'orderId}}',
    '{{order-id}}',
    '{{constructor}}',
    '{{{{orderId}}}}',
  ])('%j is none', (text) => expect(isMessageTemplate(text)).toBe(false));

  test('names the order, the lines and the units', () => {
    expect(renderMessage('{{units}} of {{ orderId }} at {{channel}}: {{lines}}.', VALUES)).toBe(
      '2 of O-1 at shop: 2 × MUG.',
    );
  });

  test('says what a value says and no more, whatever it looks like', () => {
    const hostile = { ...VALUES, orderId: '{{lines}} $& $1', lines: '<script>alert(1)</script>\r\nBcc: all' };
    expect(renderMessage('{{orderId}}|{{lines}}', hostile)).toBe(
      '{{lines}} $& $1|script alert(1) /script   Bcc: all',
    );
  });
});
