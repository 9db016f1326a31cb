import { getDataSourceToken } from '@nestjs/typeorm';
import { BuffersModule } from '../../src/buffers/buffers.module';
import { ChannelsModule } from '../../src/channels/channels.module';
import { ChannelsService } from '../../src/channels/channels.service';
import type { Config } from '../../src/config/config';
import { Config as ConfigToken } from '../../src/config/config';
import { ListenerService } from '../../src/database/listener.service';
import { IntakeModule } from '../../src/intake/intake.module';
import { WebhooksController } from '../../src/intake/webhooks.controller';
import { InventoryModule } from '../../src/inventory/inventory.module';
import { LedgerService } from '../../src/inventory/ledger.service';
import { ReservationsService } from '../../src/inventory/reservations.service';
import { JobsModule } from '../../src/jobs/jobs.module';
import { JobsService } from '../../src/jobs/jobs.service';
import { WakeQueueService } from '../../src/jobs/wake-queue.service';
import { PushModule } from '../../src/push/push.module';
import { ReconcileModule } from '../../src/reconcile/reconcile.module';
import { SecretsModule } from '../../src/secrets/secrets.module';
import type { Connections } from './connections';
import { Container, type Token } from './container';
import { dataSourceOf } from './data-source';
import type { WakeQueue } from './wake-queue';
import type { Owner } from './timeline';

class DatabaseRoom {}
Reflect.defineMetadata('providers', [ListenerService], DatabaseRoom);

/** As `AppModule` has them, but for HTTP, monitoring, and the scheduler, whose part the simulation plays. */
const ROOMS = [
  DatabaseRoom,
  JobsModule,
  InventoryModule,
  SecretsModule,
  ChannelsModule,
  BuffersModule,
  IntakeModule,
  PushModule,
  ReconcileModule,
];

/** The host sends nothing in the last moment of a claim, which it needs to note the answer. */
const NOTING_MS = 1_000;

/** One host: the real services over connections of its own. A crash leaves them where they are, for ever. */
export class Host implements Owner {
  isDead = false;
  frozenUntilMs = 0;
  isReady = false;
  private container: Container | undefined;

  constructor(
    readonly name: string,
    public skewMs: number,
    private readonly connections: Connections,
    private readonly queue: WakeQueue,
  ) {}

  /** To be run as an event of this host. */
  async start(config: Config): Promise<void> {
    const dataSource = dataSourceOf(this.connections.server.url);
    const given = new Map<Token, object>([
      [ConfigToken as Token, config],
      [getDataSourceToken() as Token, dataSource],
      [WakeQueueService as unknown as Token, this.queue.ofHost(this)],
    ]);
    const container = new Container(ROOMS as never, given);
    this.container = container;
    await container.each('onModuleInit');
    await container.each('onApplicationBootstrap');
    await this.jobs.begin();
    this.isReady = true;
  }

  /** As by `kill -9`. */
  async crash(): Promise<void> {
    this.isDead = true;
    this.isReady = false;
    this.queue.forget(this);
    for (const client of this.connections.ofOwner(this)) await client.abandon();
  }

  claimEndsAtMs(shop: string): number {
    const channel = this.get(ChannelsService).get(shop);
    if (channel.state === 'failed') return Infinity;
    return (channel.deadline as unknown as { deadlineMs: number }).deadlineMs + NOTING_MS;
  }

  get<T extends object>(type: abstract new (...given: never[]) => T): T {
    return this.container!.get(type);
  }

  get jobs(): JobsService {
    return this.get(JobsService);
  }

  get ledger(): LedgerService {
    return this.get(LedgerService);
  }

  get reservations(): ReservationsService {
    return this.get(ReservationsService);
  }

  get webhooks(): WebhooksController {
    return this.get(WebhooksController);
  }
}
