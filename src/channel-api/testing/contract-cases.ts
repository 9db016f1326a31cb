import { CANCELLATION_CASES } from './cancellation-cases';
import { CHECK_CASES } from './check-cases';
import type { ContractCase } from './contract-case';
import { DECLARATION_CASES } from './declaration-cases';
import { DELIVERY_CASES } from './delivery-cases';
import { INVENTORY_READ_CASES } from './inventory-read-cases';
import { LIMIT_CASES } from './limit-cases';
import { ORDER_READ_CASES } from './order-read-cases';
import { PUSH_CASES } from './push-cases';
import { SIGNATURE_CASES } from './signature-cases';
import { TRANSLATION_CASES } from './translation-cases';
import { TROUBLE_CASES } from './trouble-cases';

/** The whole contract, in the order in which an author meets it. */
export const CONTRACT_CASES: readonly ContractCase[] = [
  ...DECLARATION_CASES,
  ...CHECK_CASES,
  ...PUSH_CASES,
  ...INVENTORY_READ_CASES,
  ...ORDER_READ_CASES,
  ...SIGNATURE_CASES,
  ...TRANSLATION_CASES,
  ...DELIVERY_CASES,
  ...CANCELLATION_CASES,
  ...TROUBLE_CASES,
  ...LIMIT_CASES,
];
