import { Module } from '@nestjs/common';
import { ReservationCreated } from '../src/modules/reservation/contract.ts';
import { ReactsTo, type Reaction } from '../src/shared/outbox/reaction.ts';

/** Hears of every reservation and does nothing: what is left is what the relay costs. */
@ReactsTo({ consumer: 'bench.hear-of-reservations', events: [ReservationCreated] })
class HearOfReservation implements Reaction {
  handle(): Promise<void> {
    return Promise.resolve();
  }
}

@Module({ providers: [HearOfReservation] })
export class RelayModule {}
