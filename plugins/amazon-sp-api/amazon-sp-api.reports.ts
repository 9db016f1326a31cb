import { ChannelError, ChannelUnavailableError, type ChannelClock } from 'onhand/channel-api';
import { segment, type SpApiClient } from './amazon-sp-api.client';
import { type Documents, tableRows } from './amazon-sp-api.documents';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import type { WireDocument, WireReport } from './amazon-sp-api.wire';

export interface ReportKind {
  type: string;
  /** Those that are read, in lower case. */
  columns: readonly string[];
}

/** All listings of a marketplace with what they show (developer-docs.amazon.com/sp-api/docs/report-type-values-inventory). */
export const LISTINGS_REPORT: ReportKind = {
  type: 'GET_MERCHANT_LISTINGS_ALL_DATA',
  columns: ['seller-sku', 'quantity', 'item-name', 'fulfillment-channel'],
};
/** Returns of what the seller ships (developer-docs.amazon.com/sp-api/docs/report-type-values-returns). */
export const RETURNS_REPORT: ReportKind = {
  type: 'GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE',
  columns: ['order id', 'merchant sku', 'return quantity', 'return delivery date'],
};

const LOOK_EVERY_MS = 15_000;
/** A report of a large catalogue takes minutes; one that takes longer than this is not coming. */
const GIVE_UP_AFTER_MS = 45 * 60_000;

type Row = Record<string, string>;

/** Asked for, not ready yet. */
export type ReportState = { state: 'pending' } | { state: 'done'; documentId: string } | { state: 'failed' };

/** Reports: asked for, waited for, and read row by row. */
export class Reports {
  /** The last one read, for its pages are asked for one by one. */
  private last: { documentId: string; rows: Row[] } | undefined;

  constructor(
    private readonly client: SpApiClient,
    private readonly documents: Documents,
    private readonly clock: ChannelClock,
    private readonly options: AmazonSpApiOptions,
  ) {}

  /** Waits until it is ready; answers its document. Throws `ChannelUnavailableError` where that takes too long. */
  async make(kind: ReportKind, marketplaceIds: readonly string[]): Promise<string> {
    const reportId = await this.begin(kind, marketplaceIds);
    const { timeScale } = this.options;
    for (let waitedMs = 0; waitedMs < GIVE_UP_AFTER_MS; waitedMs += LOOK_EVERY_MS) {
      await this.clock.sleep(LOOK_EVERY_MS / timeScale);
      const look = await this.look(reportId);
      if (look.state === 'done') return look.documentId;
      if (look.state === 'failed')
        throw new ChannelError('report-failed', `Amazon could not make the report ${kind.type}`, true);
    }
    throw new ChannelUnavailableError(`Amazon has not made the report ${kind.type} in time`);
  }

  async begin(
    { type: reportType }: ReportKind,
    marketplaceIds: readonly string[],
    period: { dataStartTime?: string; dataEndTime?: string } = {},
  ): Promise<string> {
    const { reportId } = await this.client.call<{ reportId: string }>({
      operation: 'createReport',
      method: 'POST',
      path: '/reports/2021-06-30/reports',
      json: { reportType, marketplaceIds, ...period },
    });
    return reportId;
  }

  async look(reportId: string): Promise<ReportState> {
    const { processingStatus, reportDocumentId } = await this.client.call<WireReport>({
      operation: 'getReport',
      method: 'GET',
      path: `/reports/2021-06-30/reports/${segment(reportId)}`,
    });
    if (processingStatus === 'DONE' && reportDocumentId !== undefined)
      return { state: 'done', documentId: reportDocumentId };
    // CANCELLED is also what Amazon says of a report that has no data: there is no document either way.
    return { state: ['IN_QUEUE', 'IN_PROGRESS'].includes(processingStatus) ? 'pending' : 'failed' };
  }

  /** So many rows from a place on. */
  async rows(
    kind: ReportKind,
    documentId: string,
    { from, count }: { from: number; count: number },
  ): Promise<{ rows: Row[]; isLast: boolean }> {
    const all = await this.all(kind, documentId);
    const isLast = from + count >= all.length;
    if (isLast) this.last = undefined;
    return { rows: all.slice(from, from + count), isLast };
  }

  private async all({ columns }: ReportKind, documentId: string): Promise<Row[]> {
    if (this.last?.documentId === documentId) return this.last.rows;
    const document = await this.client.call<WireDocument>({
      operation: 'getReportDocument',
      method: 'GET',
      path: `/reports/2021-06-30/documents/${segment(documentId)}`,
    });
    const rows = [...tableRows(await this.documents.text(document), columns)];
    this.last = { documentId, rows };
    return rows;
  }
}
