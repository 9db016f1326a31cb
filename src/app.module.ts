import { type DynamicModule, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { AccessModule } from './access/access.module';
import { ActivityModule } from './activity/activity.module';
import { ApiKeyEntity } from './access/api-key.entity';
import { AlertsModule } from './alerts/alerts.module';
import type { Config } from './config/config';
import { ConfigModule } from './config/config.module';
import { DatabaseModule } from './database/database.module';
import { DrainService } from './http/drain.service';
import { logging } from './http/logging';
import { IntakeModule } from './intake/intake.module';
import { InventoryModule } from './inventory/inventory.module';
import { LocationEntity } from './inventory/location.entity';
import { SkuEntity } from './inventory/sku.entity';
import { JobsModule } from './jobs/jobs.module';
import { JobsService } from './jobs/jobs.service';
import { WakeQueueModule } from './jobs/wake-queue.module';
import { MonitorModule } from './monitor/monitor.module';
import { OutboundModule } from './outbound/outbound.module';
import { PushModule } from './push/push.module';
import { ReconcileModule } from './reconcile/reconcile.module';
import { SchedulerModule } from './scheduler/scheduler.module';
import { TelemetryModule } from './telemetry/telemetry.module';

/** The rooms of the host, in the order that stock flows through them. */
@Module({})
export class AppModule implements OnApplicationBootstrap {
  constructor(private readonly jobs: JobsService) {}

  /** Nest calls the outermost module last: every room is ready by now. */
  async onApplicationBootstrap(): Promise<void> {
    await this.jobs.begin();
  }

  static forRoot(config: Config): DynamicModule {
    const { database, dataDir, dataDirExplicit, redis, telemetry } = config;
    return {
      module: AppModule,
      imports: [
        LoggerModule.forRoot(logging(config)),
        ...(telemetry.otlpUrl === null ? [] : [TelemetryModule.forRoot(telemetry.otlpUrl)]),
        { ...ConfigModule.forRoot(config), global: true },
        {
          ...DatabaseModule.forRoot({
            url: database.url ?? undefined,
            dataDir,
            explicitDataDir: dataDirExplicit,
            poolSize: database.poolSize,
            entities: [ApiKeyEntity, LocationEntity, SkuEntity],
          }),
          global: true,
        },
        ...(redis.url === null ? [] : [WakeQueueModule.forRoot(redis.url)]),
        AccessModule,
        ActivityModule,
        IntakeModule,
        InventoryModule,
        JobsModule,
        PushModule,
        ReconcileModule,
        OutboundModule,
        AlertsModule,
        MonitorModule,
        SchedulerModule,
      ],
      providers: [DrainService],
    };
  }
}
