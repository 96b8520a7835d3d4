import { DomainError } from '../../../shared/kernel/domain-error.ts';
import type { OrderStatus } from '../contract.ts';

/** Nothing is known of the order, or not any more. */
export class OrderNotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  readonly kind = 'missing';

  constructor(orderId: string) {
    super(`There is no order ${orderId}`, { orderId });
  }
}

/*
 * What an event of an order can die of besides what reservations refuse. Nobody gets these as the answer to a request:
 * they are told in the results of a call and by dead letters (docs/sync-protocol.md), so a code that only they have is not
 * among those of problem documents.
 */

abstract class OrderEventRefused extends DomainError {
  readonly kind = 'refused';
}

/** The event is not as documented. */
export class OrderEventMalformed extends OrderEventRefused {
  readonly code = 'VALIDATION_FAILED';

  /** @param faults e.g. `data.lines is required` */
  constructor(faults: readonly string[]) {
    super(faults.join('; '));
  }
}

/** An order is created once. */
export class OrderAlreadyCreated extends OrderEventRefused {
  readonly code = 'ORDER_ALREADY_CREATED';

  constructor(status: OrderStatus) {
    super(`The order is ${status}; it was created before, by an earlier version`);
  }
}

/** The reservation that an order wants to take over is not there to be taken. */
export class ReservationNotForOrder extends OrderEventRefused {
  constructor(
    readonly code: 'NOT_FOUND' | 'RESERVATION_EXPIRED' | 'RESERVATION_NOT_ACTIVE',
    message: string,
  ) {
    super(message);
  }
}

/** There are no units for an order that the customer has paid: somebody has to find some, or to pay back. */
export class PaidWithoutStock extends OrderEventRefused {
  readonly code = 'PAID_WITHOUT_STOCK';

  constructor(why: string) {
    super(`The order is paid, and nothing is held for it: ${why}`);
  }
}

/** It wants to leave the shelf and was not paid for, or its units are another order's. */
export class OrderNotPaid extends OrderEventRefused {
  readonly code = 'RESERVATION_NOT_CONFIRMED';

  constructor() {
    super('No reservation is confirmed for the order, so nothing of it can leave the shelf');
  }
}

/** Units of it have left the shelf. */
export class OrderAlreadyFulfilled extends OrderEventRefused {
  readonly code = 'ALREADY_FULFILLED';

  constructor() {
    super('The order has left the shelf and cannot be cancelled any more; record a RETURN instead');
  }
}
