import type { SimulatedReply } from 'onhand/channel-api';

/** An error as eBay's REST APIs word it. */
export interface EbayErrorBody {
  errorId: number;
  domain: string;
  category: 'REQUEST' | 'APPLICATION';
  message: string;
  longMessage: string;
  parameters?: { name: string; value: string }[];
}

/** What eBay answers instead of doing it. */
export class EbayRefusal extends Error {
  constructor(
    readonly status: number,
    readonly errorId: number,
    message: string,
    readonly domain: string,
    readonly category: EbayErrorBody['category'] = status >= 500 ? 'APPLICATION' : 'REQUEST',
  ) {
    super(message);
    this.name = 'EbayRefusal';
  }

  get body(): EbayErrorBody {
    const { errorId, domain, category, message } = this;
    return { errorId, domain, category, message, longMessage: message };
  }

  /** The Post-Order API is older: its list is called `error`, and each has a severity. */
  reply(path: string): SimulatedReply {
    const isPostOrder = path.startsWith('/post-order/');
    const body = isPostOrder ? { error: [{ ...this.body, severity: 'ERROR' }] } : { errors: [this.body] };
    return { status: this.status, body };
  }
}

/** Of the Inventory API; its catalogue of errors is in the contract's `x-response-codes`. */
export function inventoryRefusal(status: number, errorId: number, message: string): EbayRefusal {
  return new EbayRefusal(status, errorId, message, 'API_INVENTORY');
}

/** Of the Fulfillment API. */
export function fulfillmentRefusal(status: number, errorId: number, message: string): EbayRefusal {
  return new EbayRefusal(status, errorId, message, 'API_FULFILLMENT');
}

/** Of the Notification API. */
export function notificationRefusal(status: number, errorId: number, message: string): EbayRefusal {
  return new EbayRefusal(status, errorId, message, 'API_NOTIFICATION');
}

/** Of the Post-Order API, whose numbers no contract lists: these are the simulator's own. */
export function postOrderRefusal(status: number, errorId: number, message: string): EbayRefusal {
  return new EbayRefusal(status, errorId, message, 'cancelErrorDomain');
}
