/** No receiver of that name is configured. HTTP 404. */
export class UnknownReceiverError extends Error {
  readonly code = 'not-found';

  constructor(name: string) {
    super(`no receiver ${JSON.stringify(name)} in onhand.yaml`);
    this.name = 'UnknownReceiverError';
  }
}

/** There is no delivery of that id. HTTP 404. */
export class UnknownDeliveryError extends Error {
  readonly code = 'not-found';

  constructor(id: string) {
    super(`no delivery ${JSON.stringify(id)}`);
    this.name = 'UnknownDeliveryError';
  }
}

/** The delivery has arrived, and is not sent again. HTTP 409. */
export class DeliveredAlreadyError extends Error {
  readonly code = 'wrong-state';

  constructor(id: string) {
    super(`the delivery ${id} has arrived; what has arrived is not sent again`);
    this.name = 'DeliveredAlreadyError';
  }
}
