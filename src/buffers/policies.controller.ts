import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsBoolean } from 'class-validator';
import type { Request } from 'express';
import { Needs } from '../access/needs';
import { type BufferPolicy, readPolicy, writtenPolicy } from '../config/buffer-policy';
import { formatPath } from '../config/key-path';
import { invalidRequest } from '../http/validation';
import { BufferRulesService } from './buffer-rules.service';
import { PoliciesService } from './policies.service';

const MOST_POLICIES = 100;

class PoliciesBody {
  @ApiProperty({
    type: 'array',
    items: { type: 'object' },
    description:
      'As in onhand.yaml under `buffers.policies`: name, one of channel, tag and sku or none, and figures',
    example: [{ name: 'fragile things', tag: 'fragile', units: 8, percent: 10 }],
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_POLICIES)
  policies: unknown[];
}

class DryRunQuery {
  @ApiPropertyOptional({
    description: 'Change nothing, and tell which listings would show what',
    default: false,
  })
  @Transform(({ value }) => (value === 'true' ? true : value === 'false' ? false : (value as unknown)))
  @IsBoolean({ message: 'must be true or false' })
  dryRun: boolean = false;
}

@ApiTags('buffers')
@ApiBearerAuth()
@Controller('v1/buffers/policies')
export class PoliciesController {
  constructor(
    private readonly policies: PoliciesService,
    private readonly buffers: BufferRulesService,
  ) {}

  @Get()
  @Needs('channels:read')
  @ApiOperation({ summary: 'Every policy, those of onhand.yaml too' })
  list() {
    return {
      items: this.buffers.rules.policies.map((policy) => ({
        ...writtenPolicy(policy),
        origin: this.policies.isOfFile(policy.name) ? 'file' : 'api',
      })),
    };
  }

  @Post()
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Make or replace policies by name, all or none',
    description:
      'With `dryRun=true`, tells which listings would change from what to what, once releases are through.',
  })
  async save(
    @Body() { policies: written }: PoliciesBody,
    @Query() { dryRun }: DryRunQuery,
    @Req() { caller }: Request,
  ) {
    const policies = policiesIn(written);
    if (dryRun) return { dryRun, ...(await this.policies.tryOut(policies)) };
    await this.policies.save(policies, `api:${caller!.name}`);
    return { dryRun, policies: policies.map(writtenPolicy) };
  }

  @Delete(':name')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Take a policy away, or tell what that would change' })
  async remove(@Param('name') name: string, @Query() { dryRun }: DryRunQuery, @Req() { caller }: Request) {
    if (dryRun) return { dryRun, ...(await this.policies.tryWithout(name)) };
    await this.policies.remove(name, `api:${caller!.name}`);
    return { dryRun, removed: name };
  }
}

/** Throws `Problem` with every fault. */
export function policiesIn(written: readonly unknown[]): BufferPolicy[] {
  const read = written.map(readPolicy);
  const faults = read.flatMap((each, index) =>
    'faults' in each
      ? each.faults.map(({ path, expected }) => ({
          field: formatPath(['policies', index, ...path]),
          message: `must be ${expected}`,
        }))
      : [],
  );
  const policies = read.flatMap((each) => ('policy' in each ? [each.policy] : []));
  policies.forEach(({ name }, index) => {
    if (policies.findIndex((each) => each.name === name) < index)
      faults.push({ field: `policies[${index}].name`, message: 'is there twice' });
  });
  if (faults.length > 0) throw invalidRequest(faults);
  return policies;
}
