import type { WebhookRequest, WebhookVerdict } from '../contract';
import { type ConnectedChannel, namesNoSecret, withChannel } from './connected-channel';
import {
  type ChannelContract,
  type ContractCase,
  PREVIOUS_WEBHOOK_SECRET,
  WEBHOOK_SECRET,
} from './contract-case';
import { expectFields, expectThat } from './expectations';
import { orderWebhook, requestOf } from './webhook-requests';

const group = 'webhook signatures';
const needs = ['webhooks'] as const;

export const SIGNATURE_CASES: readonly ContractCase[] = [
  {
    group,
    needs,
    name: 'a webhook as the channel signs it is accepted',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const verdict = await verdictOn(connected, requestOf(orderWebhook(connected.simulator)));
        const rule =
          "A webhook with the right signature over its raw bytes is { verdict: 'accepted', topic }";
        expectFields(verdict, { verdict: 'accepted' }, rule);
        expectThat(
          'topic' in verdict && /\w/.test(verdict.topic),
          'An accepted webhook has a topic',
          verdict,
        );
      }),
  },
  ...forgedSignatures().map(([kind, forge]) => ({
    group,
    needs,
    name: `a webhook with ${kind} signature is refused`,
    run: (contract: ChannelContract) =>
      withChannel(contract, async (connected) => {
        const { simulator } = connected;
        const request = requestOf(orderWebhook(simulator));
        const header = simulator.signatureHeader as string;
        const signature = forge(request.headers[header] as string);
        await expectRefused(connected, {
          ...request,
          headers: { ...request.headers, [header]: signature },
        });
      }),
  })),
  ...alteredBodies().map(([kind, alter]) => ({
    group,
    needs,
    name: `a webhook whose body has ${kind} is refused`,
    run: (contract: ChannelContract) =>
      withChannel(contract, async (connected) => {
        const request = requestOf(orderWebhook(connected.simulator));
        await expectRefused(connected, { ...request, body: alter(request.body) });
      }),
  })),
  {
    group,
    needs,
    name: 'a webhook signed with the secret of another shop is refused',
    run: (contract) =>
      withChannel(contract, async (connected) => {
        const other = await contract.startSimulator({ webhookSecret: 'the-secret-of-another-shop' });
        try {
          await expectRefused(connected, requestOf(orderWebhook(other)));
        } finally {
          await other.close();
        }
      }),
  },
  {
    group,
    needs: ['webhooks', 'secretRotation'],
    name: 'while a secret is changed over, both are accepted and no third one is',
    run: (contract) => acceptBothSecrets(contract),
  },
];

async function acceptBothSecrets(contract: ChannelContract): Promise<void> {
  const settings = { simulator: { previousWebhookSecret: PREVIOUS_WEBHOOK_SECRET } };
  await withChannel(
    contract,
    async (connected) => {
      for (const webhookSecret of [WEBHOOK_SECRET, PREVIOUS_WEBHOOK_SECRET, 'neither-of-the-two']) {
        const signer = await contract.startSimulator({ webhookSecret });
        const request = requestOf(orderWebhook(signer));
        await signer.close();
        if (webhookSecret === 'neither-of-the-two') await expectRefused(connected, request);
        else
          expectFields(
            await verdictOn(connected, request),
            { verdict: 'accepted' },
            'While a secret is changed over, webhooks signed with the old one are accepted beside those signed with the new',
          );
      }
    },
    settings,
  );
}

async function verdictOn({ channel }: ConnectedChannel, request: WebhookRequest): Promise<WebhookVerdict> {
  try {
    return await channel.verifyWebhook(request);
  } catch (error) {
    expectThat(false, 'verifyWebhook never throws, whatever arrives: it answers a verdict', error);
    throw error;
  }
}

async function expectRefused(connected: ConnectedChannel, request: WebhookRequest): Promise<void> {
  const verdict = await verdictOn(connected, request);
  expectThat(
    verdict.verdict === 'refused' && [401, 412].includes(verdict.status),
    "What the channel did not sign, byte for byte, is { verdict: 'refused', status: 401 or 412, reason }: compute the signature over request.body as it arrived, and compare whole signatures with timingSafeEqual",
    verdict,
  );
  namesNoSecret(connected, JSON.stringify(verdict), 'a refusal');
}

function forgedSignatures(): [string, (signature: string) => string | undefined][] {
  return [
    ['no', () => undefined],
    ['an empty', () => ''],
    ['a truncated', (signature) => signature.slice(0, -2)],
    ['a lengthened', (signature) => `${signature}aa`],
    ['a duplicated', (signature) => `${signature}, ${signature}`],
    ['an all-zero', (signature) => signature.replace(/[A-Za-z0-9+/]/g, '0')],
    ['a non-ASCII', (signature) => '\u00e9'.repeat(signature.length)],
    ['a very long', () => 'a'.repeat(1_000_000)],
  ];
}

function alteredBodies(): [string, (body: Buffer) => Buffer][] {
  const flipped = (body: Buffer, at: number) => {
    const copy = Buffer.from(body);
    copy[at] = (copy[at] as number) ^ 1;
    return copy;
  };
  return [
    ['its first byte changed', (body) => flipped(body, 0)],
    ['a byte in its middle changed', (body) => flipped(body, body.length >> 1)],
    ['its last byte changed', (body) => flipped(body, body.length - 1)],
    ['a blank added', (body) => Buffer.concat([body, Buffer.from(' ')])],
    ['been written anew', (body) => Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 1))],
    ['been emptied', () => Buffer.alloc(0)],
  ];
}
