import { Controller, Get, HttpCode } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Open } from '../access/scopes';
import { Problem } from '../http/problem';
import { VERSION } from '../version';

const READY_WITHIN_MS = 2_000;

@ApiExcludeController()
@Controller('health')
@Open()
export class HealthController {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** The process answers. */
  @Get('live')
  @HttpCode(200)
  live() {
    return { status: 'ok', version: VERSION };
  }

  /** It can do its work: the database answers in time. */
  @Get('ready')
  async ready() {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the database does not answer in time')), READY_WITHIN_MS);
    });
    try {
      await Promise.race([this.dataSource.query('SELECT 1'), late]);
      return { status: 'ok', version: VERSION };
    } catch {
      throw new Problem('ledger-unavailable', 'the database does not answer');
    } finally {
      clearTimeout(timer);
    }
  }
}
