import { IsBoolean, IsIn, IsOptional, IsString } from 'class-validator';
import genericRest from '../../plugins/generic-rest/generic-rest.plugin';
import { GenericRestOptions } from '../../plugins/generic-rest/generic-rest.options';
import {
  type CancelResult,
  type Channel,
  type ChannelDocument,
  ChannelUnauthorizedError,
  defineChannelPlugin,
} from '../../src/channel-api';

const CANCEL_ANSWERS = {
  pending: () => ({ outcome: 'pending', receipt: 'R-1' }),
  nothing: () => undefined,
  unauthorized: () => {
    throw new ChannelUnauthorizedError('the shop refuses the credentials');
  },
};

class OddOptions extends GenericRestOptions {
  /** Where webhooks are registered, with a PUT. */
  @IsOptional()
  @IsString()
  registrationsUrl?: string;

  @IsOptional()
  @IsBoolean()
  listsOrders?: boolean;

  /** Answers cancellations so, and asks the shop nothing. */
  @IsOptional()
  @IsIn(['pending', 'nothing', 'unauthorized'])
  cancelAnswers?: keyof typeof CANCEL_ANSWERS;
}

/** What a body of `{"odd": …}` has the translation do, whatever else it says. */
const ODDITIES: Record<string, () => unknown> = {
  throws: () => {
    throw new TypeError("cannot read properties of undefined (reading 'lines') \0");
  },
  'throws nothing': () => {
    throw undefined;
  },
  nothing: () => undefined,
  'no list': () => ({ kind: 'order' }),
  'list of nothing': () => [null],
  'unknown kind': () => [{ kind: 'refund' }],
  'a promise': () => Promise.resolve([]),
  'far too much': () => Array(100_000).fill({ kind: 'shown-inventory', items: [] }),
  'half a number': () => [{ kind: 'shown-inventory', items: [{ channelSku: 'A', quantityUnits: 0.5 }] }],
  'half an order': () => [{ kind: 'order', orderId: 'X' }],
};

/** The generic plugin, gone wrong where a test asks it to; it talks to the same simulated shop. */
export default defineChannelPlugin<OddOptions>({
  ...genericRest,
  name: 'odd',
  options: OddOptions,
  capabilities: (options) => ({
    ...genericRest.capabilities(options),
    readsOrders: options.listsOrders ?? true,
    subscribesWebhooks: options.registrationsUrl !== undefined,
  }),
  async connect(options, host): Promise<Channel> {
    const channel = await genericRest.connect(options, host);
    const { cancelAnswers } = options;
    return Object.assign(channel, {
      ...(cancelAnswers && {
        cancelOrder: async () => CANCEL_ANSWERS[cancelAnswers]() as CancelResult,
      }),
      translateWebhook: translatedOddly(channel.translateWebhook.bind(channel)),
      async subscribe(url: string) {
        await host.http.request({ method: 'PUT', url: options.registrationsUrl!, json: { url } });
      },
    });
  },
});

function translatedOddly(translate: Channel['translateWebhook']): Channel['translateWebhook'] {
  return (request) => {
    const { odd } = JSON.parse(request.body.toString()) as { odd?: string };
    return odd === undefined ? translate(request) : (ODDITIES[odd]!() as ChannelDocument[]);
  };
}
