import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { OpenTelemetryTracing } from './open-telemetry';
import { setTracing } from './tracing';

const TRACING = Symbol('tracing');

/** Traces for a host that has a collector. */
@Module({})
export class TelemetryModule implements OnApplicationShutdown {
  constructor(@Inject(TRACING) private readonly tracing: OpenTelemetryTracing) {}

  static forRoot(url: string): DynamicModule {
    const make = async () => {
      const tracing = await OpenTelemetryTracing.to(url);
      setTracing(tracing);
      return tracing;
    };
    return { module: TelemetryModule, providers: [{ provide: TRACING, useFactory: make }] };
  }

  async onApplicationShutdown(): Promise<void> {
    setTracing(undefined);
    await this.tracing.close();
  }
}
