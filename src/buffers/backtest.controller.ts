import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsNumber,
  IsObject,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { Needs } from '../access/needs';
import { IsText, IsTime, MayBeAbsent } from '../http/fields';
import { BacktestService } from './backtest.service';
import { policiesIn } from './policies.controller';

const MOST_CANDIDATES = 10;
const MOST_POLICIES = 100;

class CandidateBody {
  @ApiProperty({ example: 'ten units' })
  @IsText(63)
  name: string;

  @ApiProperty({
    type: 'array',
    items: { type: 'object' },
    description: 'As `POST /v1/buffers/policies` takes them',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_POLICIES)
  policies: unknown[];
}

class BacktestBody {
  @ApiPropertyOptional({
    type: [CandidateBody],
    description: 'Compared with what is in force, and with nothing',
  })
  @IsArray()
  @ArrayMaxSize(MOST_CANDIDATES)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => CandidateBody)
  candidates: CandidateBody[] = [];

  @ApiPropertyOptional()
  @MayBeAbsent()
  @IsTime()
  from?: string;

  @ApiPropertyOptional()
  @MayBeAbsent()
  @IsTime()
  to?: string;

  @ApiPropertyOptional({ description: "Of every channel; each channel's measured P99 when absent" })
  @MayBeAbsent()
  @IsNumber()
  @Min(0)
  @Max(86_400)
  latencySeconds?: number;
}

@ApiTags('buffers')
@ApiBearerAuth()
@Controller('v1/buffers/backtest')
export class BacktestController {
  constructor(private readonly backtests: BacktestService) {}

  @Post()
  @HttpCode(200)
  @Needs('channels:read')
  @ApiOperation({
    summary: "What policies would have avoided, withheld and lost, on the ledger's own orders",
    description: 'Changes nothing. Reads the whole ledger, so it takes seconds for each million events.',
  })
  backtest(@Body() { candidates, from, to, latencySeconds }: BacktestBody) {
    return this.backtests.backtest({
      candidates: candidates.map(({ name, policies }) => ({ name, policies: policiesIn(policies) })),
      from: from === undefined ? null : new Date(from),
      to: to === undefined ? null : new Date(to),
      latencyMs: latencySeconds === undefined ? null : latencySeconds * 1000,
    });
  }
}
