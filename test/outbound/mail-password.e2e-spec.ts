import type { Server } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { HostFolder } from '../support/host';
import { selfSignedCertificate } from '../support/self-signed';

const PASSWORD = 'canary-smtp-password';

describe('a mail server with a certificate that is vouched for', () => {
  let database: TestDatabase;
  let server: SMTPServer;
  let port: number;
  const certificate = selfSignedCertificate();
  const signIns: { user?: string | null; password?: string | null; secure: boolean }[] = [];
  const mails: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    server = new SMTPServer({
      ...{ ...certificate, logger: false },
      onAuth: ({ username, password }, { secure }, done) => {
        signIns.push({ user: username, password, secure });
        if (password === PASSWORD) done(null, { user: username });
        else done(Object.assign(new Error('wrong'), { responseCode: 535 }));
      },
      onData(stream, _session, done) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          mails.push(Buffer.concat(chunks).toString());
          done();
        });
      },
    });
    const inner = server.server as unknown as Server;
    port = await new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((inner.address() as { port: number }).port)),
    );
  });

  afterAll(async () => {
    await new Promise<void>((done) => server.close(() => done()));
    await database.drop();
  });

  test('gets user and password after STARTTLS, and the mail; the wrong one is told as refused', async () => {
    const mail = { kind: 'email', to: ['ops@example.com'], events: ['alert.*'] };
    const smtp = { host: 'localhost', port, from: 'onhand@example.com', user: 'ops' };
    const folder = await HostFolder.create(
      {
        outbound: { allow: [`localhost:${port}`] },
        receivers: [
          { ...mail, name: 'right', smtp: { ...smtp, password: '${SMTP_PASSWORD}' } },
          { ...mail, name: 'wrong', smtp: { ...smtp, password: 'not-it' } },
        ],
      },
      database.url,
    );
    try {
      await folder.write('authority.pem', certificate.cert);
      const env = { SMTP_PASSWORD: PASSWORD, NODE_EXTRA_CA_CERTS: join(folder.folder, 'authority.pem') };
      const host = await folder.start({ env });
      const tested = async (name: string) => (await host.api.post(`/v1/receivers/${name}/test`)).body;
      expect(await tested('right')).toMatchObject({ delivered: true, error: null });
      expect(signIns).toEqual([{ user: 'ops', password: PASSWORD, secure: true }]);
      expect(mails).toHaveLength(1);
      expect(await tested('wrong')).toMatchObject({
        delivered: false,
        error: 'the mail server refuses user and password (535)',
      });
      expect(mails).toHaveLength(1);
      expect(host.output()).not.toContain(PASSWORD);
    } finally {
      await folder.remove();
    }
  });
});
