import { AsyncLocalStorage } from 'node:async_hooks';
import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import type { Attributes, Context, Link, Span, SpanContext, SpanKind, Tracer } from '@opentelemetry/api';
import type { BasicTracerProvider, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { VERSION } from '../version';
import type { LiveSpan, SpanFacts, SpanStart, Tracing } from './tracing';

type Api = typeof import('@opentelemetry/api');

const EXPORT_EVERY_MS = 1_000;
const EXPORT_WITHIN_MS = 3_000;
const FLUSH_WITHIN_MS = 2_000;
const WARN_EVERY_MS = 60_000;
/** What a collector takes of one span by default. */
const MOST_LINKS = 128;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Traces sent by OTLP over HTTP, as JSON, to `<url>/v1/traces`. The sampler, headers and service name are those of
 * the OTEL_* variables. It sets nothing that is global: what runs now is kept here.
 */
export class OpenTelemetryTracing implements Tracing {
  private readonly tracer: Tracer;
  private readonly running = new AsyncLocalStorage<SpanContext>();
  private readonly kinds: Readonly<Record<NonNullable<SpanStart['kind']>, SpanKind>>;

  private constructor(
    private readonly api: Api,
    private readonly provider: BasicTracerProvider,
  ) {
    this.tracer = provider.getTracer('onhand', VERSION);
    const { INTERNAL: internal, SERVER: server, CLIENT: client, CONSUMER: consumer } = api.SpanKind;
    this.kinds = { internal, server, client, consumer };
  }

  /** The packages are loaded here, and so by no host that has no collector. */
  static async to(url: string): Promise<OpenTelemetryTracing> {
    const api = await import('@opentelemetry/api');
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    const { resourceFromAttributes } = await import('@opentelemetry/resources');
    const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
    const address = `${url.replace(/\/+$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url: address, timeoutMillis: EXPORT_WITHIN_MS });
    const processor = new BatchSpanProcessor(warnOfLoss(exporter), { scheduledDelayMillis: EXPORT_EVERY_MS });
    const resource = resourceFromAttributes({
      'service.name': process.env.OTEL_SERVICE_NAME || 'onhand',
      'service.version': VERSION,
      'service.instance.id': `${hostname()}-${process.pid}`,
    });
    return new OpenTelemetryTracing(api, new BasicTracerProvider({ resource, spanProcessors: [processor] }));
  }

  current(): string | undefined {
    const context = this.running.getStore();
    return context && traceparentOf(context);
  }

  async span<T>(
    { name, kind, facts, parent, links }: SpanStart,
    work: (span: LiveSpan) => Promise<T>,
  ): Promise<T> {
    const options = {
      kind: this.kinds[kind ?? 'internal'],
      attributes: attributesOf(facts),
      links: this.linksOf(links),
    };
    const span = this.tracer.startSpan(name, options, this.contextOf(parent));
    try {
      return await this.running.run(span.spanContext(), () => work(liveSpan(span)));
    } catch (error) {
      // A message may quote what came from outside; its kind says enough.
      const { code, name: kindOfError } = error as { code?: string; name?: string };
      span.setAttribute('error.type', String(code ?? kindOfError ?? 'error'));
      span.setStatus({ code: this.api.SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }

  /** What is not sent by then is lost; a collector that is away must not keep a host from stopping. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, FLUSH_WITHIN_MS)));
    await Promise.race([this.provider.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  private contextOf(parent: string | null | undefined): Context {
    const context = parent === undefined ? this.running.getStore() : this.contextIn(parent);
    const { ROOT_CONTEXT, trace } = this.api;
    return context === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, context);
  }

  private linksOf(traceparents: readonly string[] = []): Link[] {
    return traceparents
      .slice(-MOST_LINKS)
      .flatMap((each) => this.contextIn(each) ?? [])
      .map((context) => ({ context }));
  }

  /** What was written by somebody else is believed where it is well formed. */
  private contextIn(traceparent: string | null): SpanContext | undefined {
    const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent ?? '') ?? [];
    const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
    return this.api.isSpanContextValid(context) ? context : undefined;
  }
}

function liveSpan(span: Span): LiveSpan {
  return {
    add: (facts) => void span.setAttributes(attributesOf(facts)),
    rename: (name) => void span.updateName(name),
  };
}

function attributesOf(facts: SpanFacts = {}): Attributes {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** A collector that is away costs its traces and nothing else, but somebody should know. */
function warnOfLoss(exporter: SpanExporter): SpanExporter {
  const log = new Logger('telemetry');
  let warnedAt = -Infinity;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error && performance.now() - warnedAt > WARN_EVERY_MS) {
          warnedAt = performance.now();
          log.warn(`${spans.length} spans were not taken by the collector: ${result.error.message}`);
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
