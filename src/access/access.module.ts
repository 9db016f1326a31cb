import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access.guard';
import { ApiKeysService } from './api-keys.service';
import { KeysController } from './keys.controller';
import { RequestLimits } from './request-limits.service';
import { SessionController } from './session.controller';
import { SessionsService } from './sessions.service';

/**
 * API keys, their scopes, and the browsers signed in with them. Owns `api_keys` and `console_sessions`; knows nothing
 * of what the keys open.
 */
@Module({
  controllers: [KeysController, SessionController],
  providers: [ApiKeysService, RequestLimits, SessionsService, { provide: APP_GUARD, useClass: AccessGuard }],
  exports: [ApiKeysService],
})
export class AccessModule {}
