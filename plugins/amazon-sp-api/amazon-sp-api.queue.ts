import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import {
  ChannelProtocolError,
  ChannelUnauthorizedError,
  ChannelUnavailableError,
  isChannelError,
  type ChannelHttp,
  type ChannelHttpRequest,
  type PulledNotification,
} from 'onhand/channel-api';
import { envelopeOf } from './amazon-sp-api.notifications';
import type { SqsOptions } from './amazon-sp-api.options';

/** Most that SQS gives and takes at once. */
const AT_ONCE = 10;
/** Time to store what was received; then SQS gives it to whoever asks next. */
const HIDDEN_SECONDS = 120;
const ANSWER_MS = 10_000;

/**
 * The queue of the channel's notifications. Standard queues give a message at least once and in any order, so what is
 * received is deleted only when it is stored (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide).
 */
export class NotificationQueue {
  private readonly sqs: SQSClient;

  constructor(
    private readonly options: SqsOptions,
    http: ChannelHttp,
  ) {
    const { region, endpoint, accessKeyId, secretAccessKey, waitSeconds } = options;
    const timeoutMs = waitSeconds * 1000 + ANSWER_MS;
    this.sqs = new SQSClient({
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      credentials: { accessKeyId, secretAccessKey },
      // What may be called again is the host's to decide.
      maxAttempts: 1,
      requestHandler: handlerOver(http, timeoutMs),
    });
  }

  /** Waits for messages as long as the options say. */
  async pull(
    waitSeconds = this.options.waitSeconds,
    hiddenSeconds = HIDDEN_SECONDS,
  ): Promise<PulledNotification[]> {
    const { Messages: messages = [] } = await this.asked(() =>
      this.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: this.options.queueUrl,
          MaxNumberOfMessages: AT_ONCE,
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: hiddenSeconds,
        }),
      ),
    );
    return messages.flatMap(({ Body: body, MessageId: id, ReceiptHandle: receipt }) => {
      if (body === undefined || id === undefined || receipt === undefined) return [];
      return [{ receipt, ...envelopeOf(body, id), body: Buffer.from(body) }];
    });
  }

  /** What SQS does not delete comes again, and is known by then. */
  async confirm(receipts: readonly string[]): Promise<void> {
    for (let at = 0; at < receipts.length; at += AT_ONCE) {
      const entries = receipts
        .slice(at, at + AT_ONCE)
        .map((receipt, index) => ({ Id: String(index), ReceiptHandle: receipt }));
      await this.asked(() =>
        this.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: this.options.queueUrl, Entries: entries })),
      );
    }
  }

  close(): void {
    this.sqs.destroy();
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw isChannelError(error) ? error : failureOf(error);
    }
  }
}

/** The library names what SQS said; its message may quote the request. */
function failureOf(error: unknown): Error {
  const { name = '', $metadata } = (error ?? {}) as {
    name?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  const code = /^[\w.]{1,80}$/.test(name) ? name : 'unknown';
  if (
    /AccessDenied|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|InvalidAccessKeyId|OptInRequired/.test(
      name,
    )
  )
    return new ChannelUnauthorizedError(
      `SQS refuses the credentials (${code}); check options.sqs and the permissions of its user`,
    );
  if (/NonExistentQueue|QueueDoesNotExist|InvalidAddress/.test(name))
    return new ChannelUnauthorizedError(
      `SQS knows no such queue (${code}); check options.sqs.queueUrl and region`,
    );
  if (status !== undefined && status >= 500)
    return new ChannelUnavailableError(`SQS answered ${status} (${code})`);
  return new ChannelProtocolError(`SQS gave an answer that is not understood (${code})`);
}

/** Lets the library sign and understand, and the host send: its limits, guards and redaction hold for SQS too. */
function handlerOver(http: ChannelHttp, timeoutMs: number): SQSClientConfig['requestHandler'] {
  return {
    handle: async (request: SignedRequest) => {
      const { protocol, hostname, port, path, query, headers, method, body } = request;
      const search = new URLSearchParams(query as Record<string, string>).toString();
      const authority = port === undefined ? hostname : `${hostname}:${port}`;
      const { host: _host, 'content-length': _length, ...sent } = headers;
      const response = await http.request({
        method: method as ChannelHttpRequest['method'],
        url: `${protocol}//${authority}${path}${search && `?${search}`}`,
        headers: sent,
        ...(body === undefined
          ? {}
          : {
              body:
                typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
            }),
        limit: 'sqs',
        timeoutMs,
      });
      return {
        response: {
          statusCode: response.status,
          headers: response.headers,
          body: new Uint8Array(response.bytes),
        },
      };
    },
  } as unknown as SQSClientConfig['requestHandler'];
}

interface SignedRequest {
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: unknown;
  headers: Record<string, string>;
  method: string;
  body?: string | Uint8Array;
}
