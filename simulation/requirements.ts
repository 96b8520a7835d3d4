import type { Coverage } from './coverage.ts';
import { MESSAGE_FATES } from './story/story.ts';
import { STATEMENT_FAULTS } from './world/faults.ts';

/** From so many stories on a run has to have met everything; a few cannot. */
export const STORIES_THAT_MEET_ALL = 40;

const ASKED = [
  'putLocation',
  'putProduct',
  'move',
  'count',
  'policy',
  'create',
  'update',
  'refresh',
  'confirm',
  'cancel',
  'fulfil',
  'dispatch',
  'receive',
  'cancelTransfer',
];
const DEEDS = [
  'ask',
  'ask again',
  'sweep',
  'store records',
  'store pushes',
  'store follows the centre',
  'store begins a new epoch',
  'shop tells of an order',
  'operator closes a letter',
  'read',
];
const REFUSED = [
  'INSUFFICIENT_STOCK',
  'RESERVATION_EXPIRED',
  'RESERVATION_NOT_ACTIVE',
  'RESERVATION_NOT_CONFIRMED',
  'ALREADY_CONFIRMED',
  'ALREADY_FULFILLED',
  'CART_ALREADY_RESERVED',
  'TRANSFER_NOT_IN_TRANSIT',
  'VERSION_MISMATCH',
  'IDEMPOTENCY_KEY_REUSED',
  'UNKNOWN_PRODUCT',
];
const PUSHED = ['applied', 'parked', 'duplicate', 'conflict', 'refused', 'UNKNOWN_PRODUCT', 'VALIDATION_FAILED'];
const ORDERS = ['applied', 'parked', 'duplicate', 'stale', 'INSUFFICIENT_STOCK'];
const EVENTS = [
  'inventory.stock.oversold',
  'inventory.stock.low',
  'inventory.transfer.received',
  'reservation.expired',
  'reservation.fulfilled',
];

/** What every run of some length has to have met at least once: each kind of step, of fault and of outcome. */
export const REQUIRED: readonly string[] = [
  ...['together', 'wait', 'wait until', 'clock goes back'].map((step) => `step: ${step}`),
  ...DEEDS.map((deed) => `deed: ${deed}`),
  ...ASKED.map((kind) => `asked: ${kind}`),
  ...STATEMENT_FAULTS.map((fault) => `fault: ${fault}`),
  ...MESSAGE_FATES.map((fate) => `message: ${fate}`),
  ...['fails', 'is busy'].map((handling) => `handler ${handling}`),
  ...['in order', 'disorder', 'all of it', 'contradiction', 'as an older agent'].map((how) => `store pushes ${how}`),
  ...['sale', 'count', 'pickup', 'adjustment', 'nonsense'].map((type) => `store recorded: ${type}`),
  ...REFUSED.map((code) => `refused: ${code}`),
  ...PUSHED.map((outcome) => `pushed: ${outcome}`),
  ...ORDERS.map((outcome) => `order event: ${outcome}`),
  ...EVENTS.map((type) => `event: ${type}`),
  ...['replay', 'discard'].map((how) => `operator: ${how}`),
  ...['again', 'misuse', 'again for want of an answer'].map((sent) => `sent: ${sent}`),
  'came to: answer, replayed',
  'push refused: STALE_EPOCH',
  'server started again',
  'versions were stale',
];

export function notMet(coverage: Coverage): string[] {
  return REQUIRED.filter((name) => coverage.of(name) === 0);
}
