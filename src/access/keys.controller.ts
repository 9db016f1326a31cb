import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, isUUID } from 'class-validator';
import { IsText } from '../http/fields';
import { Problem } from '../http/problem';
import { ApiKeysService } from './api-keys.service';
import { type Scope, SCOPES } from './scopes';

class NewKey {
  @ApiProperty({ example: 'warehouse scanner' })
  @IsText(100)
  name: string;

  @ApiProperty({ enum: SCOPES, isArray: true })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SCOPES.length)
  @IsIn(SCOPES, { each: true })
  scopes: Scope[];
}

@ApiTags('keys')
@ApiBearerAuth()
@Controller('v1/keys')
export class KeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Post()
  @ApiOperation({ summary: 'Make an API key; it is shown in this answer only' })
  create(@Body() { name, scopes }: NewKey) {
    return this.keys.create(name, scopes);
  }

  @Get()
  @ApiOperation({ summary: 'List API keys, without the keys themselves' })
  async list() {
    const keys = await this.keys.list();
    return {
      items: keys.map(({ id, name, scopes, createdAt, revokedAt }) => ({
        id,
        name,
        scopes,
        createdAt,
        revokedAt,
      })),
    };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key' })
  async revoke(@Param('id') id: string): Promise<void> {
    if (!isUUID(id) || !(await this.keys.revoke(id))) throw new Problem('not-found', `no API key ${id}`);
  }
}
