import { Module } from '@nestjs/common';
import { SecretsController } from './secrets.controller';
import { SecretsService } from './secrets.service';

/**
 * Secrets that channels are given at run time, sealed with keys from outside the database. Owns `channel_secrets`; what
 * they mean is the plugins' to know. Secrets of the configuration are not here, and are never written anywhere.
 */
@Module({
  controllers: [SecretsController],
  providers: [SecretsService],
  exports: [SecretsService],
})
export class SecretsModule {}
