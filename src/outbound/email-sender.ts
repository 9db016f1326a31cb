import { createHash } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { createTransport, type Transporter } from 'nodemailer';
import type { AddressGuard } from '../channels/address-guard';
import { GuardedConnector } from '../channels/guarded-fetch';
import type { ReceiverConfig } from '../config/receiver.config';
import { type Message, messageOf } from './message-text';
import { DELIVERED, failed, type Outcome, type Outgoing, type Sender } from './sender';

type Connected = (error: Error | null, socket: { connection: Socket } | false) => void;

/** What nodemailer's codes mean to whoever set the receiver up. */
const REASONS: Readonly<Record<string, string>> = {
  EAUTH: 'the mail server refuses user and password',
  ETLS: 'the connection to the mail server cannot be encrypted',
  EENVELOPE: 'the mail server refuses the sender or every address',
  EMESSAGE: 'the mail server refuses the mail',
  ETIMEDOUT: 'the mail server does not answer in time',
  EDNS: 'the mail server is not found',
  ESOCKET: 'the connection to the mail server failed',
  ECONNECTION: 'the connection to the mail server failed',
};

/** Mails by SMTP, over a connection that the guard has checked. What comes together is one mail. */
export class EmailSender implements Sender {
  readonly atOnce = 20;
  private readonly connector: GuardedConnector;
  private readonly transport: Transporter;
  /** Why the last connection was not made; nodemailer's errors do not tell. */
  private refusal: string | undefined;

  constructor(
    private readonly receiver: ReceiverConfig,
    private readonly settings: { timeoutSeconds: number; publicUrl: string | null },
    guard: AddressGuard,
  ) {
    this.connector = new GuardedConnector(guard);
    const { host, port, security, user, password } = receiver.smtp;
    const timeoutMs = settings.timeoutSeconds * 1000;
    this.transport = createTransport({
      ...{ host, port, secure: security === 'tls', requireTLS: security === 'starttls' },
      ...{ ignoreTLS: security === 'none', disableFileAccess: true, disableUrlAccess: true },
      ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
      ...(user !== null && { auth: { user, pass: password! } }),
      ...(isIP(host) === 0 && { tls: { servername: host } }),
      getSocket: (_options: unknown, connected: Connected) => this.connect(connected),
    } as Parameters<typeof createTransport>[0]);
  }

  async send(deliveries: readonly Outgoing[]): Promise<Outcome[]> {
    const outcome = await this.mail(deliveries);
    return deliveries.map(() => outcome);
  }

  close(): Promise<void> {
    this.connector.close();
    return Promise.resolve();
  }

  private async mail(deliveries: readonly Outgoing[]): Promise<Outcome> {
    const { to, smtp } = this.receiver;
    const message = messageOf(deliveries, this.settings.publicUrl);
    const ids = deliveries.map(({ id }) => id).join();
    this.refusal = undefined;
    try {
      const { rejected } = (await this.transport.sendMail({
        from: smtp.from,
        to: [...to],
        subject: message.title,
        text: textOf(message),
        // The same for every attempt, so that a mailbox can tell a repeated one.
        messageId: `<${createHash('sha256').update(ids).digest('hex').slice(0, 32)}@onhand>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })) as { rejected?: unknown[] };
      const missed = rejected?.length ?? 0;
      return {
        ...DELIVERED(250),
        error: missed === 0 ? null : `${missed} of ${to.length} addresses were refused`,
      };
    } catch (error) {
      const { code = '', responseCode } = error as { code?: string; responseCode?: number };
      const reason =
        this.refusal ?? REASONS[code] ?? `the mail was not sent (${code || 'for no known reason'})`;
      return failed(responseCode === undefined ? reason : `${reason} (${responseCode})`, {
        status: responseCode ?? null,
      });
    }
  }

  /** A server that answers byte by byte is given up as well. */
  private connect(connected: Connected): void {
    const { host, port } = this.receiver.smtp;
    this.connector.connectChecked({ hostname: host, port }).then(
      (connection) => {
        const late = setTimeout(() => connection.destroy(), this.settings.timeoutSeconds * 1000);
        connection.once('close', () => clearTimeout(late));
        connected(null, { connection });
      },
      (error: Error & { code?: string }) => {
        this.refusal =
          error.code === 'channel-address' ? error.message : `no answer: ${error.code ?? error.message}`;
        connected(error, false);
      },
    );
  }
}

function textOf({ items }: Message): string {
  return items
    .map(({ heading, text, link }) => [heading, '', text, ...(link === null ? [] : ['', link])].join('\n'))
    .join('\n\n---\n\n');
}
