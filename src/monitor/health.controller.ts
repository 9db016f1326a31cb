import { Controller, Get, HttpCode } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Open } from '../access/needs';
import { Config } from '../config/config';
import { Problem } from '../http/problem';
import { LeaderService } from '../jobs/leader.service';
import { WakePostService } from '../jobs/wake-post.service';
import { VERSION } from '../version';

const READY_WITHIN_MS = 2_000;

@ApiExcludeController()
@Controller('health')
@Open()
export class HealthController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
    private readonly leader: LeaderService,
    private readonly post: WakePostService,
  ) {}

  /** The process answers. */
  @Get('live')
  @HttpCode(200)
  live() {
    return { status: 'ok', version: VERSION };
  }

  /** It can do its work: the database answers in time. Redis is told of and not needed. */
  @Get('ready')
  async ready() {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the database does not answer in time')), READY_WITHIN_MS);
    });
    try {
      await Promise.race([this.dataSource.query('SELECT 1'), late]);
      const { roles } = this.config;
      return { status: 'ok', version: VERSION, roles, leader: this.leader.leads, redis: this.post.redis };
    } catch {
      throw new Problem('ledger-unavailable', 'the database does not answer');
    } finally {
      clearTimeout(timer);
    }
  }
}
