import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { Config } from '../config/config';
import { poolOf } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import { withinDeadline } from './deadline';
import { errorText } from './intake.errors';

const SUBSCRIBE_WEBHOOKS = 'subscribe-webhooks';

/** How often it is looked whether one is due. */
const LOOK_EVERY_SECONDS = 60;
const DAY_SECONDS = 86_400;
/** In place of an address. */
const PULLED = '';
/** While one host asks, no other does; after a failure it is asked again later and later. */
const ASKING_SECONDS = 300;
const FIRST_RETRY_SECONDS = 60;
const LAST_RETRY_SECONDS = 3_600;

/** Tells channels where to send their webhooks: at start, once a day, and again after a failure. */
@Injectable()
export class SubscriptionsWorker implements OnApplicationBootstrap, OnModuleInit {
  private readonly log = new Logger('intake');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(SUBSCRIBE_WEBHOOKS, async (name) => {
      const channel = this.channels.get(name!);
      if (channel.state === 'ready' && this.urlFor(channel) !== undefined) await this.subscribe(channel);
    });
    for (const { name } of this.config.channels)
      this.jobs.every(LOOK_EVERY_SECONDS, SUBSCRIBE_WEBHOOKS, name);
  }

  /** The channel may have forgotten, or been given another address, while no host ran. */
  async onApplicationBootstrap(): Promise<void> {
    for (const channel of this.channels.ready()) {
      const { name, capabilities } = channel;
      const url = this.urlFor(channel);
      if (url !== undefined) {
        await this.dataSource.query(DUE_NOW, [name, url]);
        this.jobs.wake(SUBSCRIBE_WEBHOOKS, name);
      } else if (capabilities.subscribesWebhooks && channel.config.mode !== 'observe') {
        this.log.warn(
          `${name}: no webhooks are asked for, because the channel would not know where to send them; set ` +
            'server.publicUrl to the address at which it reaches this host. Until then its orders come by poll alone.',
        );
      }
    }
  }

  /** Where the channel is to send its webhooks; undefined where it is not to be asked. */
  private urlFor({ name, capabilities, config, channel }: ReadyChannel): string | undefined {
    const { publicUrl } = this.config.server;
    // Observing changes nothing outside.
    if (!capabilities.subscribesWebhooks || config.mode === 'observe') return undefined;
    // What is pulled out of a queue comes to no address of ours.
    if (channel.pullNotifications) return PULLED;
    if (publicUrl === null) return undefined;
    return `${publicUrl}/webhooks/${name}`;
  }

  private async subscribe({ name, channel }: ReadyChannel): Promise<void> {
    const due = await poolOf(this.dataSource).query<{ url: string }>(CLAIM, [name, ASKING_SECONDS]);
    const url = due.rows[0]?.url;
    if (url === undefined) return;
    try {
      await withinDeadline(
        channel.subscribe!(url === PULLED ? undefined : url),
        ASKING_SECONDS,
        'subscribing',
      );
      await this.dataSource.query(SUBSCRIBED, [name, DAY_SECONDS]);
    } catch (error) {
      this.log.warn(
        `${name}: webhooks could not be subscribed to, which is tried again: ${errorText(error, 500)}`,
      );
      await this.dataSource.query(FAILED, [name, errorText(error), FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS]);
    }
  }
}

const DUE_NOW = `
  INSERT INTO channel_subscriptions (channel, url) VALUES ($1, $2)
  ON CONFLICT (channel) DO UPDATE SET url = excluded.url, due_at = clock_timestamp()`;

const CLAIM = `
  UPDATE channel_subscriptions SET due_at = clock_timestamp() + make_interval(secs => $2)
   WHERE channel = $1 AND due_at <= clock_timestamp() RETURNING url`;

const SUBSCRIBED = `
  UPDATE channel_subscriptions SET subscribed_at = clock_timestamp(), failures = 0, error = NULL,
         due_at = clock_timestamp() + make_interval(secs => $2) WHERE channel = $1`;

const FAILED = `
  UPDATE channel_subscriptions SET error = $2, failures = failures + 1,
         due_at = clock_timestamp() + make_interval(secs => least($4, $3 * power(2, least(failures, 10))))
   WHERE channel = $1`;
