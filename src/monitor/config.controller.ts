import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { describeConfig } from '../config/describe-config';
import { VERSION } from '../version';

@ApiTags('operations')
@ApiBearerAuth()
@Controller('v1/config')
export class ConfigController {
  private readonly startedAt = new Date();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'The configuration in force on the host that answers, without its secrets, and what it runs on',
    description:
      'As `onhand config show`: `[hidden]` stands for credentials and for whatever came from a `${VAR}`. Of several hosts each has its own.',
  })
  async told() {
    const [{ version }] = await this.dataSource.query(`SELECT current_setting('server_version') AS version`);
    return {
      versions: { onhand: VERSION, node: process.versions.node, postgresql: version as string },
      startedAt: this.startedAt,
      config: describeConfig(this.config),
    };
  }
}
