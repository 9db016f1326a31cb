import { MessageTemplate, OneOf, TextLike, WholeNumber } from './field-rules';

/** `hold`: a person decides. `cancel`: the channel cancels what is short. `backorder`: it waits for stock. */
export type ShortfallPolicy = 'hold' | 'cancel' | 'backorder';

/** What is done about orders that a channel has accepted and the ledger cannot cover. */
export class ShortfallConfig {
  @OneOf('hold', 'cancel', 'backorder')
  readonly policy: ShortfallPolicy = 'hold';

  /** How long `cancel` waits, so that a cancellation or a restock that is on its way comes first. */
  @WholeNumber(0, 604_800)
  readonly graceSeconds: number = 120;

  /** For the seller's records at the channel. */
  @TextLike(/^[^\p{Cc}]{1,200}$/u, 'a reason of 1 to 200 characters on one line')
  readonly reason: string = 'out of stock';

  /** What a cancellation costs on this channel, against the others: 0 for nothing, 10 where the account is at stake. */
  @WholeNumber(0, 10)
  readonly cancelPenalty: number = 1;

  /** For the customer. */
  @MessageTemplate()
  readonly message: string =
    'We are sorry: {{units}} of the units you ordered ({{lines}}, order {{orderId}}) had just been sold on ' +
    'another sales channel when your order reached us, so we have to cancel them. You will be refunded.';
}
