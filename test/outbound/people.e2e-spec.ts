import { createServer, type Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { eventually } from '../support/eventually';
import { startTestHost, type TestHost } from '../support/host';
import { selfSignedCertificate } from '../support/self-signed';
import { answers, WebhookReceiver } from '../support/webhook-receiver';

interface Mail {
  from: string;
  to: string[];
  text: string;
}

const PASSWORD = 'canary-smtp-password';

describe('people', () => {
  let host: TestHost;
  let slack: WebhookReceiver;
  let relay: SMTPServer;
  let guarded: SMTPServer;
  let silent: ReturnType<typeof createServer>;
  const mails: Mail[] = [];
  const signIns: string[] = [];
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    slack = await WebhookReceiver.start();
    relay = new SMTPServer({
      ...{ authOptional: true, disabledCommands: ['STARTTLS'], logger: false },
      onRcptTo: ({ address }, _session, done) =>
        done(
          address.startsWith('nobody') ? Object.assign(new Error('no such'), { responseCode: 550 }) : null,
        ),
      onData(stream, { envelope }, done) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const to = envelope.rcptTo.map(({ address }) => address);
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
          mails.push({ from, to, text: Buffer.concat(chunks).toString() });
          done();
        });
      },
    });
    // Nobody vouches for its certificate, so it is to see no password.
    guarded = new SMTPServer({
      ...selfSignedCertificate(),
      ...{ logger: false },
      onAuth: ({ password }, _session, done) => {
        signIns.push(String(password));
        done(null, { user: 'x' });
      },
    });
    guarded.on('error', () => undefined);
    silent = createServer((socket) => void sockets.add(socket));
    const ports = await Promise.all([relay, guarded, silent].map(portOf));
    const mail = { kind: 'email', to: ['ops@example.com', 'nobody@example.com'], events: ['alert.*'] };
    const smtp = { host: '127.0.0.1', security: 'none', from: 'Onhand <onhand@example.com>' };
    host = await startTestHost({
      server: { publicUrl: 'https://stock.example.com' },
      deliveries: { timeoutSeconds: 1, sweepEverySeconds: 1 },
      alerts: { everySeconds: 3_600, clearAfterSeconds: 0 },
      outbound: { allow: [...ports.map((port) => `127.0.0.1:${port}`), new URL(slack.url).host] },
      receivers: [
        { name: 'chat', kind: 'slack', url: slack.url, events: ['alert.*'] },
        { ...mail, name: 'mail', smtp: { ...smtp, port: ports[0] } },
        {
          ...{ ...mail, name: 'unsafe', events: ['stock.changed'], tags: ['none'] },
          smtp: {
            ...smtp,
            host: 'localhost',
            port: ports[1],
            security: 'starttls',
            user: 'u',
            password: PASSWORD,
          },
        },
        { ...mail, name: 'silent', tags: ['none'], smtp: { ...smtp, port: ports[2] } },
        { ...mail, name: 'inside', tags: ['none'], smtp: { ...smtp, port: 25 } },
      ],
    });
  });

  afterAll(async () => {
    await host.close();
    await slack.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all(
      [relay, guarded, silent].map((server) => new Promise<void>((done) => server.close(() => done()))),
    );
  });

  const evaluate = () => host.api.post('/v1/schedule/evaluate-alerts/run');
  const tested = async (name: string) =>
    (await host.api.post<{ error: string }>(`/v1/receivers/${name}/test`)).body;

  test('are told of alerts in words, what comes together in one message', async () => {
    await host.api.post('/v1/skus', [
      { sku: 'MUG <!channel> & co', reorderPoint: 3 },
      ...['X', 'Y', 'Z'].map((sku) => ({ sku, reorderPoint: 1 })),
    ]);
    await evaluate();
    await eventually(() => expect([slack.received.length, mails.length]).toEqual([1, 1]));
    const { text } = JSON.parse(slack.received[0]!.body) as { text: string };
    expect(text).toMatch(/^Onhand: 4 events\n\n/);
    expect(text).toContain(
      '*WARNING opened: low-stock:MUG &lt;!channel&gt; &amp; co*\nMUG &lt;!channel&gt; &amp; co has 0 units',
    );
    expect(text).toContain('<https://stock.example.com/#/stock/X|Show>');
    const [mail] = mails as [Mail];
    expect(mail).toMatchObject({ from: 'onhand@example.com', to: ['ops@example.com'] });
    const { headers, body } = parsed(mail.text);
    expect(headers).toMatchObject({
      ...{
        from: 'Onhand <onhand@example.com>',
        subject: 'Onhand: 4 events',
        'auto-submitted': 'auto-generated',
      },
    });
    expect(body).toMatch(/MUG <!channel> & co has 0 units available, and is to be ordered again at 3\./);
    expect(body).toContain('https://stock.example.com/#/stock/X');
    await eventually(async () =>
      expect((await host.api.get('/v1/deliveries?receiver=mail')).body).toMatchObject({
        items: Array(4).fill({ state: 'delivered', status: 250, error: '1 of 2 addresses were refused' }),
      }),
    );
  });

  test('get a message that was not taken again', async () => {
    slack.behaviour = answers(500);
    await host.api.post('/v1/skus', { sku: 'X', reorderPoint: null });
    await evaluate();
    await eventually(async () =>
      expect((await host.api.get('/v1/deliveries?receiver=chat&state=waiting')).body).toMatchObject({
        items: [{ event: 'alert.resolved', status: 500 }],
      }),
    );
    slack.behaviour = answers(200);
    await host.dataSource.query('UPDATE deliveries SET next_at = now()');
    await eventually(() => expect(slack.received.at(-1)?.body).toContain('*WARNING resolved: low-stock:X*'));
  });

  test.each([
    ['unsafe', /cannot be encrypted|connection to the mail server failed/],
    ['silent', /does not answer in time|connection to the mail server failed/],
    ['inside', /receivers may have public addresses only;.*"127\.0\.0\.1:25"/],
  ])('a mail server that is %s is told as such, and gets no password', async (name, error) => {
    expect(await tested(name)).toMatchObject({ delivered: false, error: expect.stringMatching(error) });
    expect(signIns).toEqual([]);
  });
});

function portOf(server: SMTPServer | ReturnType<typeof createServer>): Promise<number> {
  const inner = 'server' in server ? (server.server as ReturnType<typeof createServer>) : server;
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((inner.address() as { port: number }).port)),
  );
}

/** Header names in lower case; the body as it reads once its soft line breaks and escapes are taken out. */
function parsed(mail: string): { headers: Record<string, string>; body: string } {
  const [head = '', ...rest] = mail.split('\r\n\r\n');
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const body = rest
    .join('\n\n')
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return { headers: Object.fromEntries(headers), body };
}
