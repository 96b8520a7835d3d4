import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { ReleaseHold, stockItemKey } from '../../inventory/contract.ts';
import { ExpireDueReservations } from '../contract.ts';
import { Reservations } from '../storage/reservation.repository.ts';

/** Stores what time has done to a bounded batch of reservations and gives their units back. Safe to repeat. */
@CommandHandler(ExpireDueReservations)
export class ExpireDueReservationsHandler implements ICommandHandler<ExpireDueReservations> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly reservations: Reservations,
  ) {}

  execute({ reservationIds, keys }: ExpireDueReservations): Promise<{ expired: number }> {
    return this.unitOfWork.run({ keys, workClass: 'bulk' }, async (tx) => {
      const at = this.clock.now();
      const due = [];
      for (const id of reservationIds) {
        const reservation = await this.reservations.get(tx, id);
        if (reservation.expire(at)) {
          due.push(reservation);
        }
      }
      const places = due.flatMap(({ state }) =>
        state.lines.flatMap(({ sku, allocations }) =>
          allocations.map(({ locationId }) => stockItemKey(sku, locationId)),
        ),
      );
      await tx.load(places);
      for (const reservation of due) {
        await this.commands.execute(new ReleaseHold(reservation.state.id, 'EXPIRED', at));
        this.reservations.save(tx, reservation);
      }
      return { expired: due.length };
    });
  }
}
