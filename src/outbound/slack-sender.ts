import type { HttpSender } from './http-sender';
import { messageOf } from './message-text';
import type { Outcome, Outgoing, Sender } from './sender';

/**
 * Incoming webhooks of Slack, and of Mattermost and others that take the same: `{"text": …}` in mrkdwn
 * (https://api.slack.com/messaging/webhooks). What comes together is one message.
 */
export class SlackSender implements Sender {
  readonly atOnce = 20;

  constructor(
    private readonly http: HttpSender,
    private readonly publicUrl: string | null,
  ) {}

  async send(deliveries: readonly Outgoing[]): Promise<Outcome[]> {
    const { title, items } = messageOf(deliveries, this.publicUrl);
    const lines = items.map(({ heading, text, link }) => {
      const more = link === null ? '' : ` <${link}|Show>`;
      return `*${escaped(heading)}*\n${escaped(text)}${more}`;
    });
    const text = items.length === 1 ? lines[0]! : [escaped(title), ...lines].join('\n\n');
    const outcome = await this.http.post(JSON.stringify({ text }));
    return deliveries.map(() => outcome);
  }

  close(): Promise<void> {
    return this.http.close();
  }
}

/** Slack's three; without it a name could mention everybody in the channel. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
