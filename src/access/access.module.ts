import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access.guard';
import { ApiKeysService } from './api-keys.service';
import { KeysController } from './keys.controller';

/** API keys and their scopes. Owns `api_keys`; knows nothing of what the keys open. */
@Module({
  controllers: [KeysController],
  providers: [ApiKeysService, { provide: APP_GUARD, useClass: AccessGuard }],
  exports: [ApiKeysService],
})
export class AccessModule {}
