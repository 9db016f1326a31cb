import { Address, Nullable } from './field-rules';

/** Where traces go. */
export class TelemetryConfig {
  /** Base address of an OpenTelemetry collector that takes OTLP over HTTP; null collects nothing, at no cost. */
  @Nullable()
  @Address(['http:', 'https:'], 'an http or https address, such as http://127.0.0.1:4318')
  readonly otlpUrl: string | null = null;
}
