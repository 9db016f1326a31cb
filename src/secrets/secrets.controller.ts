import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SecretsService } from './secrets.service';

@ApiTags('keys')
@ApiBearerAuth()
@Controller('v1/secrets')
export class SecretsController {
  constructor(private readonly secrets: SecretsService) {}

  @Get()
  @ApiOperation({
    summary: 'What is kept sealed for channels and by which key; never what it says',
    description: '`keys` are the ids of the keys that this host has, the first of which seals.',
  })
  told() {
    return this.secrets.told();
  }

  @Post('rotate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Seal everything with the first key, so that the others can be taken away' })
  rotate() {
    return this.secrets.rotate();
  }
}
