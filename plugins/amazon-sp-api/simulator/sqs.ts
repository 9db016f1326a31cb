import type { SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import { membersOf } from './api-call';
import { type AwsCredentials, signatureFault } from './aws-signature';
import type { MessageQueue, ReceivedMessage } from './message-queue';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const MOST_MESSAGES = 10;
const LONGEST_WAIT_SECONDS = 20;
const VISIBILITY_SECONDS = 30;

/** In the JSON protocol's words, with those that the older one has for it beside them. */
class SqsRefusal extends Error {
  constructor(
    readonly type: string,
    readonly queryError: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

/** One queue behind the JSON protocol of Amazon SQS, as its SDK speaks it. Its waits are real seconds. */
export class SqsEndpoint {
  constructor(
    private readonly queue: MessageQueue,
    private readonly credentials: AwsCredentials,
    private readonly queuePath: string,
  ) {}

  async answer(request: SimulatedRequest): Promise<SimulatedReply> {
    try {
      const fault = signatureFault(request, this.credentials);
      if (fault) throw unsigned(fault);
      return reply(200, await this.act(request));
    } catch (error) {
      if (!(error instanceof SqsRefusal)) throw error;
      const body = {
        __type: error.type.includes('#') ? error.type : `com.amazonaws.sqs#${error.type}`,
        message: error.message,
      };
      return reply(error.status, body, { 'x-amzn-query-error': `${error.queryError};Sender` });
    }
  }

  private async act({ headers, body }: SimulatedRequest): Promise<object> {
    const input = membersOf(jsonIn(body));
    if (new URL(String(input.QueueUrl), 'http://sqs').pathname !== this.queuePath) {
      const queryError = 'AWS.SimpleQueueService.NonExistentQueue';
      throw new SqsRefusal('QueueDoesNotExist', queryError, 'The specified queue does not exist.');
    }
    switch (headers['x-amz-target']) {
      case 'AmazonSQS.ReceiveMessage':
        return this.receive(input);
      case 'AmazonSQS.DeleteMessage':
        this.queue.delete(String(input.ReceiptHandle));
        return {};
      case 'AmazonSQS.DeleteMessageBatch':
        return this.deleteBatch(input);
      case 'AmazonSQS.GetQueueAttributes':
        return this.attributes();
      default:
        throw new SqsRefusal('InvalidAction', 'InvalidAction', 'The action is not simulated.');
    }
  }

  private async receive(input: Record<string, unknown>): Promise<object> {
    const most = wholeIn(input, 'MaxNumberOfMessages', { least: 1, most: MOST_MESSAGES, absent: 1 });
    const wait = wholeIn(input, 'WaitTimeSeconds', { least: 0, most: LONGEST_WAIT_SECONDS, absent: 0 });
    const visibility = wholeIn(input, 'VisibilityTimeout', {
      least: 0,
      most: 43_200,
      absent: VISIBILITY_SECONDS,
    });
    const received = await this.queue.receive(most, visibility * 1000, wait * 1000);
    // The SDK takes a missing list for none, and that is how the service gives it.
    return received.length === 0 ? {} : { Messages: received.map(wire) };
  }

  private deleteBatch(input: Record<string, unknown>): object {
    const entries = (Array.isArray(input.Entries) ? input.Entries : []).map(membersOf);
    if (entries.length === 0 || entries.length > MOST_MESSAGES) {
      const type = entries.length === 0 ? 'EmptyBatchRequest' : 'TooManyEntriesInBatchRequest';
      throw new SqsRefusal(
        type,
        `AWS.SimpleQueueService.${type}`,
        `A batch has 1 to ${MOST_MESSAGES} entries.`,
      );
    }
    for (const { ReceiptHandle } of entries) this.queue.delete(String(ReceiptHandle));
    return { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] };
  }

  private attributes(): object {
    const { visible, inFlight, delayed } = this.queue.counts;
    return {
      Attributes: {
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
        ApproximateNumberOfMessagesDelayed: String(delayed),
        QueueArn: queueArn(this.queuePath),
        VisibilityTimeout: String(VISIBILITY_SECONDS),
      },
    };
  }
}

/** What AWS says of a key that it does not know, and of a signature that the key did not make. */
function unsigned(fault: 'key' | 'signature'): SqsRefusal {
  if (fault === 'key') {
    const type = 'com.amazon.coral.service#UnrecognizedClientException';
    return new SqsRefusal(
      type,
      'InvalidClientTokenId',
      'The security token included in the request is invalid.',
      403,
    );
  }
  const type = 'com.amazon.coral.service#InvalidSignatureException';
  return new SqsRefusal(
    type,
    'SignatureDoesNotMatch',
    'The request signature does not match the signature you provided.',
    403,
  );
}

/** `/account/name` as the name that a destination gives for it. */
export function queueArn(queuePath: string): string {
  const [, account, name] = queuePath.split('/');
  return `arn:aws:sqs:us-east-1:${account}:${name}`;
}

function wire({ message, receiptHandle }: ReceivedMessage): object {
  const { messageId, body, md5, sentMs, receiveCount } = message;
  return {
    MessageId: messageId,
    ReceiptHandle: receiptHandle,
    MD5OfBody: md5,
    Body: body,
    Attributes: { SentTimestamp: String(sentMs), ApproximateReceiveCount: String(receiveCount) },
  };
}

function wholeIn(
  input: Record<string, unknown>,
  name: string,
  { least, most, absent }: { least: number; most: number; absent: number },
): number {
  const value = input[name] ?? absent;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    const message = `Value for parameter ${name} is invalid. Reason: must be between ${least} and ${most}.`;
    throw new SqsRefusal('InvalidParameterValue', 'InvalidParameterValue', message);
  }
  return value;
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new SqsRefusal('SerializationException', 'MalformedQueryString', 'The body is not JSON.');
  }
}

function reply(status: number, body: object, headers: Record<string, string> = {}): SimulatedReply {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0', ...headers }, body };
}
