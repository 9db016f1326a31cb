import { byPlace, type CallContext, connect, type Connected, type ConnectionArguments } from './connection';
import { gid, type IdSequence } from './ids';
import { errorsOf } from './inventory-mutations';
import { refusal } from './refusal';

interface SubscriptionInput {
  uri?: string | null;
  callbackUrl?: string | null;
}

interface Subscription {
  readonly id: string;
  readonly topic: string;
  uri: string;
}

const LOOPBACK = /^http:\/\/(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?:[:/]|$)/;
const FIELD = ['webhookSubscription', 'callbackUrl'];

/** Who gets which topic: subscriptions made through the API, by topic and address. */
export class Subscriptions {
  private readonly all: Subscription[] = [];

  constructor(private readonly ids: IdSequence) {}

  /** Addresses that a topic, such as `orders/create`, is sent to. */
  addressesOf(topic: string): string[] {
    const name = topic.replaceAll('/', '_').toUpperCase();
    return this.all.filter((each) => each.topic === name).map(({ uri }) => uri);
  }

  /** Shopify forgets what an app subscribed to when it is uninstalled. */
  clear(): void {
    this.all.length = 0;
  }

  connection = (
    { topics, uri, ...args }: ConnectionArguments & { topics?: string[] | null; uri?: string | null },
    context: CallContext,
  ): Connected<object> => {
    const found = this.all.filter(
      (each) => (!topics || topics.includes(each.topic)) && (uri == null || each.uri === uri),
    );
    return connect(found, args, context, byPlace, nodeOf);
  };

  create = ({
    topic,
    webhookSubscription,
  }: {
    topic: string;
    webhookSubscription: SubscriptionInput;
  }): object =>
    this.changed(() => {
      const uri = this.usable(topic, webhookSubscription);
      const made = { id: gid('WebhookSubscription', this.ids.next()), topic, uri };
      this.all.push(made);
      return made;
    });

  update = ({ id, webhookSubscription }: { id: string; webhookSubscription: SubscriptionInput }): object =>
    this.changed(() => {
      const known = this.all.find((each) => each.id === id);
      if (!known) throw refusal(['id'], 'Webhook subscription does not exist');
      known.uri = this.usable(known.topic, webhookSubscription);
      return known;
    });

  private changed(change: () => Subscription): object {
    try {
      return { webhookSubscription: nodeOf(change()), userErrors: [] };
    } catch (error) {
      return { webhookSubscription: null, userErrors: errorsOf(error) };
    }
  }

  /** HTTPS only, as at Shopify; plain HTTP to this machine, where the simulator's listeners are. */
  private usable(topic: string, { uri, callbackUrl }: SubscriptionInput): string {
    const address = uri ?? callbackUrl ?? '';
    if (address.trim() === '') throw refusal(FIELD, "Address can't be blank");
    const protocol = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address)?.[0] ?? '';
    if (protocol !== 'https://' && !LOOPBACK.test(address))
      throw refusal(FIELD, `Address protocol ${protocol} is not supported`);
    if (this.all.some((each) => each.topic === topic && each.uri === address))
      throw refusal(FIELD, 'Address for this topic has already been taken');
    return address;
  }
}

function nodeOf({ id, topic, uri }: Subscription): object {
  return { __typename: 'WebhookSubscription', id, topic, uri };
}
