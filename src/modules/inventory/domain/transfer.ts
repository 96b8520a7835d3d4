import { Aggregate } from '../../../shared/kernel/aggregate.ts';
import type { Instant } from '../../../shared/kernel/clock.ts';
import type { EventDefinition, PayloadOf } from '../../../shared/kernel/domain-event.ts';
import { TransferCancelled, TransferDispatched, TransferReceived, type TransferStatus } from '../contract.ts';
import { MoreThanDispatched, TransferNotInTransit } from './transfer.errors.ts';

export interface TransferState {
  readonly id: string;
  readonly sku: string;
  readonly fromLocationId: string;
  readonly toLocationId: string;
  /** Units that were dispatched; at least 1. */
  readonly quantity: number;
  /** Units that arrived, 0 to `quantity`; null unless it is RECEIVED: nobody has counted. */
  readonly received: number | null;
  readonly status: TransferStatus;
  /** Why it was received as it was, or cancelled. */
  readonly reason: string | null;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly version: number;
}

/**
 * Units of one sku on their way from one location to another. IN_TRANSIT -> RECEIVED | CANCELLED.
 *
 * The units themselves are in the two stock items: they leave on-hand of the source when they are dispatched, and are
 * incoming at the target until they are received.
 */
export class Transfer extends Aggregate<TransferState> {
  /** The transfer as it was stored. */
  static of(state: TransferState): Transfer {
    return new Transfer(state);
  }

  /** @param wanted.quantity whole units, at least 1 */
  static dispatch(
    wanted: {
      readonly id: string;
      readonly sku: string;
      readonly fromLocationId: string;
      readonly toLocationId: string;
      readonly quantity: number;
    },
    at: Instant,
  ): Transfer {
    const { id, sku, fromLocationId, toLocationId, quantity } = wanted;
    if (fromLocationId === toLocationId) throw new Error(`Bug: a transfer from ${fromLocationId} to itself`);
    const transfer = new Transfer({
      id,
      sku,
      fromLocationId,
      toLocationId,
      quantity,
      received: null,
      status: 'IN_TRANSIT',
      reason: null,
      createdAt: at,
      updatedAt: at,
      version: 1,
    });
    transfer.publish(TransferDispatched, {}, at);
    return transfer;
  }

  /**
   * How many units are said to have arrived.
   * @param quantity null: all that were dispatched
   * @throws MoreThanDispatched
   */
  arrivalOf(quantity: number | null): number {
    const dispatched = this.state.quantity;
    if (quantity !== null && quantity > dispatched) throw new MoreThanDispatched(dispatched);
    return quantity ?? dispatched;
  }

  /**
   * A fact: the units are at the target, `received` of them whole.
   * @param received from `arrivalOf`
   * @returns 'same' when just that was said before; the first reason stays
   * @throws TransferNotInTransit when it was received otherwise, or cancelled
   */
  receive(received: number, reason: string | null, at: Instant): 'changed' | 'same' {
    const { status } = this.state;
    if (status === 'RECEIVED' && received === this.state.received) return 'same';
    this.assertInTransit();
    this.change({ status: 'RECEIVED', received, reason, updatedAt: at });
    this.publish(TransferReceived, { received, reason }, at);
    return 'changed';
  }

  /**
   * The units go back to the source.
   * @returns 'same' when it was cancelled before; the first reason stays
   * @throws TransferNotInTransit when it was received
   */
  cancel(reason: string | null, at: Instant): 'changed' | 'same' {
    if (this.state.status === 'CANCELLED') return 'same';
    this.assertInTransit();
    this.change({ status: 'CANCELLED', reason, updatedAt: at });
    this.publish(TransferCancelled, { reason }, at);
    return 'changed';
  }

  private assertInTransit(): void {
    const { status, received } = this.state;
    if (status !== 'IN_TRANSIT') throw new TransferNotInTransit(status, received);
  }

  /** The event belongs to the target, which waits for the units; the source hears of them by its own movements. */
  private publish<Definition extends EventDefinition>(
    { type, version }: Definition,
    data: Omit<PayloadOf<Definition>, keyof PayloadOf<typeof TransferDispatched>>,
    at: Instant,
  ): void {
    const { id: transferId, sku, fromLocationId, toLocationId, quantity } = this.state;
    this.record({
      type,
      version,
      subject: `transfer/${transferId}`,
      subjectVersion: this.version,
      locationId: toLocationId,
      data: { transferId, sku, fromLocationId, toLocationId, quantity, ...data },
      occurredAt: at,
    });
  }
}
