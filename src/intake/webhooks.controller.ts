import { All, Controller, Param, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Open } from '../access/needs';
import type { WebhookRequest } from '../channel-api';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { Problem } from '../http/problem';
import { JobsService } from '../jobs/jobs.service';
import { withinDeadline } from './deadline';
import { InboxService } from './inbox.service';
import { APPLY_INBOX } from './intake.worker';

/** No sender waits longer for its answer. */
const VERIFY_SECONDS = 10;

@ApiTags('webhooks')
@Controller('webhooks')
export class WebhooksController {
  constructor(
    private readonly channels: ChannelsService,
    private readonly inbox: InboxService,
    private readonly jobs: JobsService,
  ) {}

  /** Verified on its raw bytes, stored, answered after the commit; what it says is applied after the answer. */
  @All([':channel', ':channel/*rest'])
  @Open()
  @ApiOperation({ summary: "A channel's webhook; the plugin checks its signature" })
  async receive(
    @Param('channel') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const channel = this.servedChannel(name);
    const webhook = rawRequest(request, name);
    const verified = channel.channel.verifyWebhook(webhook);
    const verdict = await withinDeadline(verified, VERIFY_SECONDS, 'verifying the webhook');
    if (verdict.verdict === 'challenge') {
      response.status(verdict.status).type(verdict.contentType).send(verdict.body);
      return undefined;
    }
    if (verdict.verdict === 'refused') {
      throw new Problem(verdict.status === 412 ? 'signature-mismatch' : 'unauthorized', verdict.reason);
    }
    const { duplicate } = await this.inbox.receive(name, verdict.topic, webhook);
    this.jobs.wake(APPLY_INBOX, name);
    response.status(200);
    return { received: true, duplicate };
  }

  /** A channel that is configured but cannot be served answers 503, so that the sender tries again later. */
  private servedChannel(name: string): ReadyChannel {
    const channel = this.channels.get(name);
    if (channel.state === 'failed')
      throw new Problem('channel-not-served', 'the channel is not served now; see GET /v1/channels');
    return channel;
  }
}

/** A request under a channel's address, as plugins are given it. */
export function rawRequest(request: Request, channel: string): WebhookRequest {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headersDistinct)) headers[name] = value?.join(', ');
  return {
    method: request.method,
    path: request.originalUrl.slice(`/webhooks/${channel}`.length) || '/',
    headers,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}
