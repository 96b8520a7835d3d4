import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import { isPlainText } from '../../../shared/http/fields.ts';
import { DeadLetters } from '../../../shared/outbox/dead-letters.ts';
import { failureOf, isBusy } from '../../../shared/outbox/failure.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import type { OrderEvent, OrderEventOutcome, OrderEventResult } from '../contract.ts';
import type { OrderStream } from '../domain/order-stream.ts';
import { OrderEventMalformed } from '../domain/order.errors.ts';
import { readOrderEvent } from '../order-event.ts';
import type { OrderEventRow } from '../storage/order-event.table.ts';
import { Orders } from '../storage/orders.repository.ts';
import { OrderAlarms } from './order-alarms.ts';
import { OrderEffects } from './order-effects.ts';

/** Of whom the dead letters are. */
export const ORDER_EVENTS_CONSUMER = 'sync.order-events';

/** What became of an event, without its name. */
type Became = Pick<OrderEventResult, 'outcome' | 'code' | 'flags'>;

/**
 * Gives each event of an order its place (docs/decisions/0021), carries it out when it is its turn, and then what has
 * waited for it. Called inside a unit of work, whose commit has the effect, the order and the event together.
 */
@Injectable()
export class OrderSequencer {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly deadLetters: DeadLetters,
    private readonly orders: Orders,
    private readonly effects: OrderEffects,
    private readonly alarms: OrderAlarms,
  ) {}

  /**
   * Takes an event as it came.
   * @param poison what carrying it out has failed with in a way that spoils a commit: then it is not tried
   * @throws whatever is not the event's own fault
   */
  async receive(tx: Transaction, event: OrderEvent, at: Instant, poison?: Error): Promise<Became> {
    const stream = await this.orders.stream(tx, event.orderId, at);
    const before = stream.version;
    const became = (await this.compare(tx, stream, event, at)) ?? (await this.take(tx, stream, event, at, poison));
    if (stream.version !== before) await this.orders.save(tx, stream);
    return became;
  }

  /**
   * Carries the event of a dead letter out once more.
   * @throws what it fails with again
   */
  async replay(tx: Transaction, row: OrderEventRow, at: Instant): Promise<void> {
    const stream = await this.orders.stream(tx, row.orderId, at);
    const version = row.orderVersion;
    const read = readOrderEvent(row.content);
    if ('faults' in read) throw new OrderEventMalformed(read.faults);
    const isWaitedFor = version === stream.state.blockedBy;
    if (isWaitedFor || (read.type === 'order.cancelled' && !stream.isCancelled)) {
      await this.effects.carryOut(stream, version, read, at);
      this.orders.put(tx, row, 'APPLIED', at);
      await this.endLine(tx, stream, at);
    } else if (version < stream.state.nextVersion || stream.isCancelled) {
      this.alarms.raise(tx, row, stream.alarmOf(version, read.type));
      this.orders.put(tx, row, 'STALE', at);
    } else {
      // Its turn has not come: it waits for it again.
      stream.park(at);
      this.orders.put(tx, row, 'PARKED', at);
    }
    stream.settleDead(version, at);
    await this.orders.save(tx, stream);
  }

  /** The letter of an event is closed: what has waited for it goes on, without it if it was not replayed. */
  async release(tx: Transaction, row: OrderEventRow, at: Instant): Promise<void> {
    const stream = await this.orders.stream(tx, row.orderId, at);
    if (row.status === 'DEAD') {
      this.orders.put(tx, row, 'DISCARDED', at);
      stream.settleDead(row.orderVersion, at);
    }
    await this.goOn(tx, stream, at);
    await this.orders.save(tx, stream);
  }

  /** @returns null when neither the id nor the version of the event is known */
  private async compare(tx: Transaction, stream: OrderStream, event: OrderEvent, at: Instant): Promise<Became | null> {
    const named = await this.orders.eventNamed(tx, event.id);
    const there = await this.orders.eventAt(tx, event.orderId, event.version);
    const other = named ?? there;
    if (other === undefined) return null;
    // What used a number up by being a repeat was never carried out under it: nothing else can be a repeat of that.
    const isSame = other.status !== 'SKIPPED' && other.contentHash === event.contentHash;
    const outcome = isSame ? 'duplicate' : 'conflict';
    if (outcome === 'conflict' && stream.hasRoomForConflicts && (await this.orders.addConflict(tx, event, at))) {
      stream.noteConflict(at);
    }
    if (there === undefined && event.version === stream.state.nextVersion) {
      // Its sender has given the number away, so nothing else will come under it.
      this.orders.add(tx, event, 'SKIPPED', at);
      stream.passOver(event.version, at);
      await this.goOn(tx, stream, at);
    }
    return { outcome };
  }

  private async take(
    tx: Transaction,
    stream: OrderStream,
    event: OrderEvent,
    at: Instant,
    poison: Error | undefined,
  ): Promise<Became> {
    const read = readOrderEvent(event.content);
    if ('faults' in read) {
      return this.die(tx, stream, this.orders.add(tx, event, 'DEAD', at), new OrderEventMalformed(read.faults), at);
    }
    const place = stream.placeOf(event.version, read.type === 'order.cancelled');
    switch (place) {
      case 'refused':
        return { outcome: place };
      case 'parked':
        this.orders.add(tx, event, 'PARKED', at);
        stream.park(at);
        return { outcome: place };
      case 'stale':
        return this.passOver(tx, stream, this.orders.add(tx, event, 'STALE', at), at);
      case 'due': {
        const row = this.orders.add(tx, event, 'APPLIED', at);
        const became = await this.carryOut(tx, stream, row, at, poison);
        await this.goOn(tx, stream, at);
        return became;
      }
    }
  }

  /** Carries out what waits, as far as it goes. */
  private async goOn(tx: Transaction, stream: OrderStream, at: Instant): Promise<void> {
    await this.orders.loadNext(tx, stream);
    for (let turn = stream.turn; turn !== null; turn = stream.turn) {
      const row = await this.orders.eventAt(tx, stream.state.orderId, turn);
      if (row?.status === 'PARKED') {
        stream.unpark(at);
        await this.carryOut(tx, stream, row, at);
      } else if (row?.status === 'DEAD') {
        stream.block(turn, at);
      } else if (row === undefined) {
        return;
      } else {
        stream.passOver(turn, at);
      }
    }
  }

  private async carryOut(
    tx: Transaction,
    stream: OrderStream,
    row: OrderEventRow,
    at: Instant,
    poison?: Error,
  ): Promise<Became> {
    try {
      if (poison !== undefined) throw poison;
      await this.unitOfWork.run({ keys: [] }, async () => {
        const read = readOrderEvent(row.content);
        if ('faults' in read) throw new OrderEventMalformed(read.faults);
        await this.effects.carryOut(stream, row.orderVersion, read, at);
      });
    } catch (error) {
      if (tx.isBroken || isBusy(error)) throw error;
      return this.die(tx, stream, row, error, at);
    }
    this.orders.put(tx, row, 'APPLIED', at);
    await this.endLine(tx, stream, at);
    return { outcome: 'applied' };
  }

  private die(tx: Transaction, stream: OrderStream, row: OrderEventRow, error: unknown, at: Instant): Became {
    const { orderId, orderVersion, eventId, content } = row;
    if (stream.placeOfDead(orderVersion) === 'refused') {
      this.orders.forget(tx, row);
      return { outcome: 'refused' };
    }
    const failure = failureOf(error);
    const letter = this.deadLetters.bury(tx, {
      eventId,
      consumer: ORDER_EVENTS_CONSUMER,
      orderId,
      sequence: orderVersion,
      type: isPlainText(content.type) ? content.type : null,
      data: content.data,
      origin: { occurredAt: content.occurredAt },
      failure,
    });
    this.orders.put(tx, row, 'DEAD', at, letter.id);
    stream.die(orderVersion, at);
    this.alarms.died(tx, row, failure, error);
    return { outcome: 'dead', code: failure.code };
  }

  private async passOver(tx: Transaction, stream: OrderStream, row: OrderEventRow, at: Instant): Promise<Became> {
    const read = readOrderEvent(row.content);
    const alarm = 'faults' in read ? null : stream.alarmOf(row.orderVersion, read.type);
    if (!('faults' in read)) await this.effects.passOver(stream, row.orderVersion, read);
    this.orders.put(tx, row, 'STALE', at);
    stream.passOver(row.orderVersion, at);
    this.alarms.raise(tx, row, alarm);
    const outcome: OrderEventOutcome = 'stale';
    return alarm === null ? { outcome } : { outcome, flags: [alarm] };
  }

  /** A cancelled order has no use for what has waited for its turn. */
  private async endLine(tx: Transaction, stream: OrderStream, at: Instant): Promise<void> {
    if (!stream.isCancelled) return;
    for (const row of await this.orders.parked(tx, stream.state.orderId)) {
      await this.passOver(tx, stream, row, at);
    }
  }
}
