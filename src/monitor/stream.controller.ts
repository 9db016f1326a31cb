import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../access/needs';
import type { Scope } from '../access/scopes';
import { StreamService } from './stream.service';

@ApiTags('stream')
@ApiBearerAuth()
@Controller('v1/stream')
export class StreamController {
  constructor(private readonly streams: StreamService) {}

  @Get()
  @Needs('stock:read', 'channels:read')
  @ApiProduces('text/event-stream')
  @ApiOperation({
    summary: 'What changes, as server-sent events',
    description:
      '`stock`: `{skus}` that have other levels, or `{all: true}` where they are too many to name, for keys with stock:read. `channels`: `{items}` as `GET /v1/channels` answers them, `tasks`: `{items}` that are not over, and `alerts`: `{items}` that are not resolved, in short, for keys with channels:read. An event says what to look at again; one may be left out for a caller that does not read.',
  })
  listen(@Req() request: Request, @Res() response: Response): void {
    const { scopes } = request.caller!;
    const mayRead = (scope: Scope) => scopes.has('admin') || scopes.has(scope);
    this.streams.add(response, { stock: mayRead('stock:read'), channels: mayRead('channels:read') });
  }
}
