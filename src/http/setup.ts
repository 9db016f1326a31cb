import type { Server } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import express from 'express';
import helmet from 'helmet';
import type { Config } from '../config/config';
import { traceRequests } from '../telemetry/trace-requests';
import { answersOnly } from './answers-only';
import { lastOnceClosing } from './drain.service';
import { assertUtf8, plainJson } from './plain-json';
import { ProblemFilter } from './problem.filter';
import { requestContext } from './request-context';
import { validationPipe } from './validation';

/**
 * Longer than the 60 s for which nginx and the load balancers of clouds keep an idle connection: one that the host closes
 * just when they send the next request on it is a 502 to the sender of a webhook.
 */
const IDLE_CONNECTION_MS = 75_000;

/** What every HTTP host of this application has: parsers with bounds, validation, problems, OpenAPI. */
export function setUpHttp(app: NestExpressApplication, config: Config, version: string): void {
  const { bodyLimitBytes, trustProxy } = config.server;
  app.set('trust proxy', trustProxy);
  app.disable('x-powered-by');
  // Each answer is made anew; hashing it for an ETag that nobody sends back costs more than making it.
  app.set('etag', false);
  const server = app.getHttpServer() as Server;
  server.keepAliveTimeout = IDLE_CONNECTION_MS;
  app.use(lastOnceClosing(server));
  app.use(requestContext);
  const isWeb = config.roles.includes('web');
  if (!isWeb) app.use(answersOnly(['/health', '/metrics']));
  // Pages need the browser's protections; JSON is not rendered, and a dozen headers cost too much on each
  // answer. Whether there is TLS in front is not known here, so nothing is upgraded to it.
  app.use(
    '/docs',
    helmet({ hsts: false, contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }),
  );
  // Signatures are made over the bytes as they came, whatever their type.
  app.use('/webhooks', express.raw({ type: () => true, limit: bodyLimitBytes, inflate: false }));
  app.use(express.json({ limit: bodyLimitBytes, verify: assertUtf8 }));
  app.use(plainJson);
  if (config.telemetry.otlpUrl !== null) app.use(traceRequests);
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  if (isWeb) describeApi(app, version);
}

function describeApi(app: NestExpressApplication, version: string): void {
  const description = new DocumentBuilder()
    .setTitle('Onhand')
    .setDescription('One ledger of stock, every sales channel in step. Errors are problem+json (RFC 9457).')
    .setVersion(version)
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description), {
    jsonDocumentUrl: 'docs/openapi.json',
  });
}
