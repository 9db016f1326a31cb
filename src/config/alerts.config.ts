import { Mapping, Nullable, NumberWithin, OneOf, WholeNumber } from './field-rules';

export type AlertSeverity = 'warning' | 'critical';

/** When one kind of trouble is worth an alert. */
export class AlertRuleConfig {
  /** More than this raises it; null turns the rule off. */
  @Nullable()
  @NumberWithin(0, 1_000_000_000)
  readonly max: number | null = null;

  @OneOf('warning', 'critical')
  readonly severity: AlertSeverity = 'warning';
}

/** A rule's section of the file, with what holds where the file says nothing. */
function section(max: number, severity: AlertSeverity = 'warning'): new () => AlertRuleConfig {
  return class extends AlertRuleConfig {
    override readonly max: number | null = max;
    override readonly severity: AlertSeverity = severity;
  };
}

export const ALERT_RULE_SECTIONS = {
  breakerOpenSeconds: section(300, 'critical'),
  ordersUnreadSeconds: section(1_800, 'critical'),
  queueListings: section(5_000),
  queueSeconds: section(900),
  throttledRatio: section(0.2),
  driftEscalated: section(0),
  driftRatio: section(0.01),
  countDriftRatio: section(0.01),
  lowStock: section(1),
  strandedReservations: section(0),
  oversellSeconds: section(3_600, 'critical'),
  parkedItems: section(0),
  taskOverdueSeconds: section(600),
  taskFailingSeconds: section(300),
  receiverFailingSeconds: section(900),
  ledgerViolations: section(0, 'critical'),
};

export type AlertRuleKey = keyof typeof ALERT_RULE_SECTIONS;

export class AlertRulesConfig {
  /** A channel does not answer, for so long. */
  @Mapping() readonly breakerOpenSeconds = new ALERT_RULE_SECTIONS.breakerOpenSeconds();
  /** A channel's orders cannot be read, for so long. */
  @Mapping() readonly ordersUnreadSeconds = new ALERT_RULE_SECTIONS.ordersUnreadSeconds();
  /** So many listings of a channel wait to be pushed. */
  @Mapping() readonly queueListings = new ALERT_RULE_SECTIONS.queueListings();
  /** One of them has waited for so long. */
  @Mapping() readonly queueSeconds = new ALERT_RULE_SECTIONS.queueSeconds();
  /** Such a share of the last hour's calls to a channel was answered 429. */
  @Mapping() readonly throttledRatio = new ALERT_RULE_SECTIONS.throttledRatio();
  /** So many listings of a channel drift again after every correction. */
  @Mapping() readonly driftEscalated = new ALERT_RULE_SECTIONS.driftEscalated();
  /** Such a share of a channel's listings had drifted at its last comparison. */
  @Mapping() readonly driftRatio = new ALERT_RULE_SECTIONS.driftRatio();
  /** The last count of a source differed from the ledger by such a share of the units. */
  @Mapping() readonly countDriftRatio = new ALERT_RULE_SECTIONS.countDriftRatio();
  /** A SKU has no more available than such a share of its reorder point. */
  @Mapping() readonly lowStock = new ALERT_RULE_SECTIONS.lowStock();
  @Mapping() readonly strandedReservations = new ALERT_RULE_SECTIONS.strandedReservations();
  /** An order that stock does not cover waits for a person, for so long. */
  @Mapping() readonly oversellSeconds = new ALERT_RULE_SECTIONS.oversellSeconds();
  /** So many webhooks, orders, lines and listings of a channel wait for a person. */
  @Mapping() readonly parkedItems = new ALERT_RULE_SECTIONS.parkedItems();
  /** A recurring task has been due for so long. */
  @Mapping() readonly taskOverdueSeconds = new ALERT_RULE_SECTIONS.taskOverdueSeconds();
  /** Every run of a recurring task has failed, for so long. */
  @Mapping() readonly taskFailingSeconds = new ALERT_RULE_SECTIONS.taskFailingSeconds();
  /** A receiver takes nothing, for so long. */
  @Mapping() readonly receiverFailingSeconds = new ALERT_RULE_SECTIONS.receiverFailingSeconds();
  /** The last check of the ledger found so many contradictions. */
  @Mapping() readonly ledgerViolations = new ALERT_RULE_SECTIONS.ledgerViolations();
}

/** What is worth a person's attention, and how often they are told. */
export class AlertsConfig {
  /** How often everything is looked at; some things at once. */
  @WholeNumber(1, 3_600)
  readonly everySeconds: number = 30;

  /** What raised an alert must be over for so long before the alert is, so that what flaps stays one alert. */
  @WholeNumber(0, 86_400)
  readonly clearAfterSeconds: number = 300;

  /** What comes back within this opens the same alert again. */
  @WholeNumber(0, 604_800)
  readonly reopenWithinSeconds: number = 3_600;

  /** An alert that is open, and that nobody acknowledged, is told again so often; 0 for never. */
  @WholeNumber(0, 604_800)
  readonly remindEverySeconds: number = 14_400;

  /** How long alerts that are resolved can be looked at. */
  @WholeNumber(1, 3_650)
  readonly keepDays: number = 90;

  @Mapping()
  readonly rules: AlertRulesConfig = new AlertRulesConfig();

  /** Aims of KPIs that are to differ from the KPI's own; null for no alert. */
  @Mapping('a mapping of KPIs to the most they may be, such as { reservation_conflict_rate: 0.003 }')
  readonly kpis: Readonly<Record<string, number | null>> = {};
}
