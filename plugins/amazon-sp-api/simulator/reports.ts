import { gzipSync } from 'node:zlib';
import {
  type ApiCall,
  ApiRefusal,
  type Handlers,
  invalidInput,
  listIn,
  membersOf,
  numberIn,
  ok,
  textIn,
  textsIn,
} from './api-call';
import type { DocumentStore } from './documents';
import type { ScaledTime } from './scaled-time';

interface Report {
  reportId: string;
  reportType: string;
  marketplaceIds: string[];
  dataStartTime?: string;
  dataEndTime?: string;
  createdTime: string;
  processingStatus: 'IN_QUEUE' | 'IN_PROGRESS' | 'DONE' | 'FATAL' | 'CANCELLED';
  processingStartTime?: string;
  processingEndTime?: string;
  reportDocumentId?: string;
}

/** Writes a report over a period, in ms; the whole of it comes from the moment at which it is written. */
export type ReportWriter = (period: { fromMs: number; toMs: number }) => string;

/** How the next reports end: a report of no rows is `CANCELLED` at Amazon. */
export type ReportFate = 'done' | 'fatal' | 'cancelled';

/** The Reports API of 2021-06-30. */
export class Reports {
  readonly handlers: Handlers = {
    createReport: (call) => this.create(call),
    getReport: ({ parameters }) => ok(this.report(parameters.reportId as string)),
    getReports: (call) => this.page(call),
    getReportDocument: ({ parameters }) => this.document(parameters.reportDocumentId as string),
  };

  private readonly all: Report[] = [];
  private readonly fates: ReportFate[] = [];

  constructor(
    private readonly documents: DocumentStore,
    private readonly writers: Readonly<Record<string, ReportWriter>>,
    private readonly time: ScaledTime,
    private readonly durations: { queuedSeconds: number; processingSeconds: number },
  ) {}

  /** How the next reports end, one after the other; those after them are done. */
  fate(...fates: ReportFate[]): void {
    this.fates.push(...fates);
  }

  private create({ body, nowMs }: ApiCall) {
    const reportType = textIn(body, 'reportType');
    const writer = this.writers[reportType];
    if (!writer) throw invalidInput(`The report type ${reportType} is not simulated.`);
    const { dataStartTime, dataEndTime } = membersOf(body) as Partial<Record<string, string>>;
    const report: Report = {
      reportId: String(60_000_000_000 + this.all.length),
      reportType,
      marketplaceIds: textsIn(body, 'marketplaceIds'),
      ...(dataStartTime === undefined ? {} : { dataStartTime }),
      ...(dataEndTime === undefined ? {} : { dataEndTime }),
      createdTime: new Date(nowMs).toISOString(),
      processingStatus: 'IN_QUEUE',
    };
    this.all.push(report);
    this.time.after(this.durations.queuedSeconds, () => this.begin(report, writer));
    return { status: 202, body: { reportId: report.reportId } };
  }

  private begin(report: Report, writer: ReportWriter): void {
    report.processingStatus = 'IN_PROGRESS';
    report.processingStartTime = new Date().toISOString();
    this.time.after(this.durations.processingSeconds, () => {
      const fate = this.fates.shift() ?? 'done';
      report.processingEndTime = new Date().toISOString();
      report.processingStatus = fate === 'done' ? 'DONE' : fate === 'fatal' ? 'FATAL' : 'CANCELLED';
      if (fate !== 'done') return;
      const period = {
        fromMs: report.dataStartTime === undefined ? -Infinity : Date.parse(report.dataStartTime),
        toMs: report.dataEndTime === undefined ? Infinity : Date.parse(report.dataEndTime),
      };
      const bytes = gzipSync(writer(period));
      report.reportDocumentId = this.documents.create('text/plain; charset=UTF-8', bytes);
    });
  }

  private page({ query }: ApiCall) {
    const types = listIn(query, 'reportTypes');
    const statuses = listIn(query, 'processingStatuses');
    const pageSize = numberIn(query, 'pageSize', { least: 1, most: 100, absent: 10 });
    if (types.length === 0) throw invalidInput('reportTypes is required without a nextToken.');
    const reports = this.all.filter(
      ({ reportType, processingStatus }) =>
        types.includes(reportType) && (statuses.length === 0 || statuses.includes(processingStatus)),
    );
    return ok({ reports: reports.reverse().slice(0, pageSize) });
  }

  private document(id: string) {
    if (!this.documents.read(id)) throw new ApiRefusal(404, 'NotFound', 'The document is not known.');
    return ok({ reportDocumentId: id, url: this.documents.urlOf(id), compressionAlgorithm: 'GZIP' });
  }

  private report(reportId: string): Report {
    const report = this.all.find((each) => each.reportId === reportId);
    if (!report) throw new ApiRefusal(404, 'NotFound', 'The report is not known.');
    return report;
  }
}
