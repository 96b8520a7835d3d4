import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Transaction } from '../persistence/transaction.ts';
import { ConsumerCursors, type Turn } from './consumer-cursors.ts';
import type { DeadLetterRow } from './dead-letter.table.ts';
import { Dispatch } from './dispatch.ts';
import { Relay } from './relay.ts';
import { Replays, type Replayer } from './replays.ts';
import { SetAside } from './set-aside.ts';
import type { SetAsideEventRow } from './set-aside.table.ts';

/** Replays dead letters of reactions. What waits behind one is delivered by the relay, in order, before anything later. */
@Injectable()
export class ReactionReplayer implements Replayer, OnModuleInit {
  constructor(
    private readonly dispatch: Dispatch,
    private readonly cursors: ConsumerCursors,
    private readonly setAside: SetAside,
    private readonly relay: Relay,
    private readonly replays: Replays,
  ) {}

  onModuleInit(): void {
    for (const { consumer } of this.dispatch.consumers) {
      this.replays.add(consumer, this);
    }
  }

  async replay(letter: DeadLetterRow, tx: Transaction): Promise<void> {
    const { event } = await this.firstWaiting(letter, tx);
    const consumer = this.dispatch.consumerNamed(letter.consumer);
    if (consumer === undefined) throw new Error(`No reaction is called ${letter.consumer}`);
    await this.dispatch.hand(consumer, this.dispatch.open(event.event), tx);
  }

  async release(letter: DeadLetterRow, tx: Transaction): Promise<void> {
    const { turn, event } = await this.firstWaiting(letter, tx);
    this.setAside.passed(turn, event);
    tx.onSettled(() => {
      this.relay.wakeRetries(tx.tenantId, letter.consumer);
    });
  }

  /** The consumer's turn is taken first, or the relay could deliver to it at the same time. */
  private async firstWaiting(letter: DeadLetterRow, tx: Transaction): Promise<{ turn: Turn; event: SetAsideEventRow }> {
    const turn = await this.cursors.take(tx, letter.consumer, true);
    const subject = letter.origin.subject as string;
    const blocked = turn && (await this.setAside.blockedSubject(turn, letter.consumer, subject));
    const [event] = turn && blocked ? await this.setAside.waiting(turn, letter.consumer, subject, 1) : [];
    if (turn === undefined || blocked?.deadLetterId !== letter.id || event?.eventId !== letter.eventId) {
      throw new Error(`The event of the dead letter ${letter.id} is not the first that waits of ${subject}`);
    }
    return { turn, event };
  }
}
